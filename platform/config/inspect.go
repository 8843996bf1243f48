package config

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// Sources says for each variable of [Environment] where it comes from.
func Sources(dir string) map[string]string {
	sources := map[string]string{}
	if file, err := godotenv.Read(filepath.Join(dir, ".env")); err == nil {
		for name := range file {
			sources[name] = ".env"
		}
	}
	for _, pair := range os.Environ() {
		if name, _, ok := strings.Cut(pair, "="); ok {
			sources[name] = "the environment"
		}
	}
	return sources
}

// Examine looks at every variable: what is set and from where, what is wrong, and
// what is set but means nothing here. into is what Load filled, and err what it said.
func Examine(into any, environ, sources map[string]string, err error) diagnosis.Examination {
	return func(_ context.Context, n *diagnosis.Notes) {
		for _, e := range leaves(err) {
			n.Fail("config.value", "the variables of the environment", e.Error(), "Correct the variable where it is set, and start again. badge-engine config lists them all.")
		}
		var defaults []string
		walk(reflect.Indirect(reflect.ValueOf(into)), "", func(v variable) {
			name := v.name
			if v.fromFile() && environ[name+"_FILE"] != "" {
				name += "_FILE"
			}
			if environ[name] == "" {
				defaults = append(defaults, v.name)
				return
			}
			n.OK("config.value", name, "%s, from %s.", v.masked(environ[name], name != v.name), sources[name])
		})
		if len(defaults) > 0 {
			n.OK("config.defaults", "variables that are not set", "%d have their defaults: %s.", len(defaults), strings.Join(defaults, ", "))
		}
		for _, s := range Strangers(into, environ) {
			remedy := "Remove it; badge-engine config lists the variables there are."
			if s.Meant != "" {
				remedy = "Say " + s.Meant + " if that is meant; otherwise remove it."
			}
			n.Warn("config.unknown", s.Name, "It is set and means nothing to this program.", remedy)
		}
	}
}

// leaves takes joined errors apart.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	var lines []string
	for _, e := range joined.Unwrap() {
		all, lines = append(all, leaves(e)...), append(lines, e.Error())
	}
	if strings.Join(lines, "\n") != err.Error() { // no list, but one sentence about several causes
		return []error{err}
	}
	return all
}

// Stranger is a variable that is set and that nobody reads.
type Stranger struct {
	Name  string
	Meant string // the variable it is nearly called; may be empty
}

// String says what to do about it.
func (s Stranger) String() string {
	if s.Meant == "" {
		return s.Name + " is set and means nothing to this program; badge-engine config lists the variables there are"
	}
	return s.Name + " is set and means nothing to this program; is " + s.Meant + " meant?"
}

// families are the beginnings that only variables of this program have.
var families = []string{"ENTRA_", "AUTH_", "HEALTH_", "FETCH_", "RATE_LIMIT_", "KEY_ENCRYPTION_", "BADGE_ENGINE_", "SCIM_", "BOOTSTRAP_ADMIN_", "MIGRATE_"}

// Strangers finds variables that look like ours and are not: those of our
// families, and those that are one or two letters away from one of ours.
func Strangers(into any, environ map[string]string) []Stranger {
	known := map[string]bool{"LOG_LEVEL_": true}
	walk(reflect.Indirect(reflect.ValueOf(into)), "", func(v variable) {
		known[v.name] = true
		if v.fromFile() {
			known[v.name+"_FILE"] = true
		}
	})
	var strangers []Stranger
	for _, name := range slices.Sorted(maps.Keys(environ)) {
		if known[name] || strings.HasPrefix(name, "LOG_LEVEL_") || len(name) < 4 {
			continue
		}
		best, nearest := "", 3
		for _, k := range slices.Sorted(maps.Keys(known)) {
			// Short names are near to many words.
			if d := distance(name, k); d < nearest && len(k) >= 6 {
				best, nearest = k, d
			}
		}
		ours := slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(name, f) })
		if ours || best != "" {
			strangers = append(strangers, Stranger{Name: name, Meant: best})
		}
	}
	return strangers
}

// distance is how many letters must be put in, left out or replaced (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// masked shows a value without what is secret in it.
func (v variable) masked(value string, isPath bool) string {
	switch {
	case isPath:
		return fmt.Sprintf("%q", short80(value))
	case v.secret():
		return fmt.Sprintf("*** (%d characters)", len(value))
	}
	return fmt.Sprintf("%q", short80(withoutPassword(value)))
}

func short80(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// passwords are what a URL says between its scheme and its host, and parameters
// that name a secret, also where the address is no URL that could be parsed.
var passwords = regexp.MustCompile(`(://)[^/\s]*@|((?i:password|passwd|secret|token|key)=)[^&\s]*`)

func withoutPassword(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil && u.Host != "" {
		u.User = url.UserPassword(u.User.Username(), "xxx")
		s = strings.Replace(u.String(), ":xxx@", ":***@", 1)
		return passwords.ReplaceAllStringFunc(s, func(m string) string {
			if strings.HasPrefix(m, "://") {
				return m
			}
			return m[:strings.Index(m, "=")+1] + "***"
		})
	}
	return passwords.ReplaceAllString(s, "${1}${2}***")
}
