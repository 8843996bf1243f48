package httpserver

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// param is a parameter in fiber's syntax, its constraint included.
var param = regexp.MustCompile(`:([A-Za-z0-9_]+)(<[^>]*>)?\??|[*+]`)

// arrange checks the tables and puts static segments before parameters, since
// fiber takes the first route that fits. Every fault of every line is reported.
func arrange(tables []Table) ([]Route, error) {
	routes := slices.Concat(tables...)
	var errs []error
	seen := map[string]string{}
	for i := range routes {
		r := &routes[i]
		refuse := func(what string) {
			errs = append(errs, fmt.Errorf("httpserver: route %s %s %s", r.Method, r.Path, what))
		}
		r.Method = strings.ToUpper(r.Method)
		if !slices.Contains(fiber.DefaultMethods, r.Method) {
			refuse("has no method that exists")
		}
		if !strings.HasPrefix(r.Path, "/") {
			refuse("has a path that does not begin with a slash")
		}
		if r.Handler == nil {
			refuse("has no handler")
		}
		if !r.Access.declared() {
			refuse("does not say who may call it: give Public(), Authenticated() or Scope(…)")
		}
		if r.AnyOrigin && !r.Access.public {
			refuse("is open to every origin but not public")
		}
		if r.Costly && !r.Access.public {
			refuse("limits callers without a token, but lets none in")
		}
		if !r.Hidden && (r.Summary == "" || r.Tag == "") {
			refuse("lacks a summary or a tag")
		}
		// GET answers HEAD too (RFC 9110, 9.3.2).
		methods := []string{r.Method}
		if r.Method == fiber.MethodGet {
			methods = append(methods, fiber.MethodHead)
		}
		shape := param.ReplaceAllString(strings.TrimRight(r.Path, "/"), ":")
		for _, m := range methods {
			if other, taken := seen[m+shape]; taken {
				refuse("is declared twice, also as " + other)
			} else {
				seen[m+shape] = r.Method + " " + r.Path
			}
		}
	}
	slices.SortStableFunc(routes, compareRoutes)
	return routes, errors.Join(errs...)
}

func (a Access) declared() bool {
	if len(a.scopes) > 0 {
		return !a.public && !a.anyone && !slices.Contains(a.scopes, "")
	}
	return a.public != a.anyone
}

// compareRoutes orders by path, segment by segment: static before parameter
// before wildcard, then by name, so that the table is the same at every start.
func compareRoutes(a, b Route) int {
	as, bs := strings.Split(a.Path, "/"), strings.Split(b.Path, "/")
	for i := range min(len(as), len(bs)) {
		if d := rank(as[i]) - rank(bs[i]); d != 0 {
			return d
		}
		if d := strings.Compare(as[i], bs[i]); d != 0 {
			return d
		}
	}
	if d := len(as) - len(bs); d != 0 {
		return d
	}
	return slices.Index(fiber.DefaultMethods, a.Method) - slices.Index(fiber.DefaultMethods, b.Method)
}

func rank(segment string) int {
	switch {
	case strings.ContainsAny(segment, "*+"):
		return 3
	case strings.HasPrefix(segment, ":") && param.FindString(segment) == segment:
		return 2
	case strings.Contains(segment, ":"):
		return 1 // a parameter with something static around it
	}
	return 0
}
