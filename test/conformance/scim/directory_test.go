package scim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

// directory is what the server is compared with: users and groups in memory, changed by
// the rules that Entra relies on. It was written from the standard, not from the server,
// and knows no schema but the attributes that the random operations use.
type directory struct {
	users  map[string]object // by id, without id, meta and schemas
	groups map[string]*circle
}

type circle struct {
	displayName, externalId string
	members                 map[string]bool
}

// refusal is what must be answered instead.
type refusal struct {
	status   int
	scimType string
}

var (
	texts = []string{"userName", "externalId", "displayName", "nickName", "title", "userType", "locale"}
	lists = []string{"emails", "phoneNumbers", "roles"}
)

// nothing reports whether a value stands for none.
func nothing(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case object:
		inner, given := v["value"]
		return len(v) == 0 || len(v) == 1 && given && nothing(inner)
	}
	return false
}

func copied(value any) any {
	switch v := value.(type) {
	case object:
		out := object{}
		for name, member := range v {
			out[name] = copied(member)
		}
		return out
	case []any:
		out := []any{}
		for _, element := range v {
			out = append(out, copied(element))
		}
		return out
	}
	return value
}

// set puts a value into a complex attribute, which comes and goes with its parts.
func set(user object, name, part string, value any) {
	whole, _ := user[name].(object)
	if whole == nil {
		whole = object{}
		user[name] = whole
	}
	if nothing(value) {
		delete(whole, part)
	} else {
		whole[part] = value
	}
	if len(whole) == 0 {
		delete(user, name)
	}
}

func manager(value any) any {
	if text, ok := value.(string); ok && text != "" {
		return object{"value": text}
	}
	if nothing(value) {
		return nil
	}
	return value
}

func boolean(value any) (any, bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case string:
		if strings.EqualFold(v, "true") || strings.EqualFold(v, "false") {
			return strings.EqualFold(v, "true"), true
		}
	}
	return nil, false
}

// assign carries out add or replace at a path without a filter.
func assign(user object, verb, path string, value any) *refusal {
	if rest, ok := strings.CutPrefix(path, scimprobe.EnterpriseSchema); ok {
		if rest == "" {
			if nothing(value) {
				delete(user, scimprobe.EnterpriseSchema)
				return nil
			}
			for name, inner := range value.(object) {
				assign(user, verb, path+":"+name, inner)
			}
			return nil
		}
		name := strings.TrimPrefix(rest, ":")
		if name == "manager" || name == "manager.value" {
			value, name = manager(value), "manager"
		}
		set(user, scimprobe.EnterpriseSchema, name, value)
		return nil
	}
	switch name, part, _ := strings.Cut(path, "."); {
	case part != "":
		set(user, name, part, value)
	case name == "name":
		if nothing(value) {
			delete(user, name)
			return nil
		}
		for inner, v := range value.(object) {
			set(user, name, inner, v)
		}
	case name == "active":
		if nothing(value) {
			delete(user, name)
			return nil
		}
		v, ok := boolean(value)
		if !ok {
			return &refusal{400, "invalidValue"}
		}
		user[name] = v
	case slices.Contains(lists, name):
		if nothing(value) {
			// To add nothing is no change; to replace by nothing clears.
			if verb == "replace" {
				delete(user, name)
			}
			return nil
		}
		var kept []any
		if verb == "add" {
			kept, _ = user[name].([]any)
		}
		for _, element := range copied(value).([]any) {
			kept = joined(kept, element.(object))
		}
		user[name] = kept
	case nothing(value):
		if name == "userName" {
			return &refusal{400, "invalidValue"}
		}
		delete(user, name)
	default:
		user[name] = value
	}
	return nil
}

// joined adds an element unless it is there; a new primary one takes that from the others.
func joined(list []any, element object) []any {
	if slices.ContainsFunc(list, func(e any) bool { return js(e) == js(element) }) {
		return list
	}
	if element["primary"] == true {
		unprimary(list)
	}
	return append(list, element)
}

func unprimary(list []any) {
	for _, e := range list {
		delete(e.(object), "primary")
	}
}

// bare reports whether nothing but what tells elements apart is left of one.
func bare(element object) bool {
	for name := range element {
		if name != "type" && name != "primary" {
			return false
		}
	}
	return true
}

// filtered carries out an operation at a path with a filter for the type, such as
// emails[type eq "work"].value.
func filtered(user object, verb, name, kind, sub string, value any, given bool) {
	list, _ := user[name].([]any)
	var kept []any
	hit := false
	for _, e := range list {
		element := e.(object)
		if element["type"] != kind {
			kept = append(kept, element)
			continue
		}
		hit = true
		switch {
		case verb == "remove" && sub == "":
			continue
		case verb == "remove" && given && element[sub] != value:
		case verb == "remove" || nothing(value):
			delete(element, sub)
			if bare(element) {
				continue
			}
		default:
			if sub == "primary" {
				unprimary(list)
			}
			element[sub] = value
		}
		kept = append(kept, element)
	}
	if !hit && verb != "remove" && !nothing(value) {
		if sub == "primary" {
			unprimary(kept)
		}
		kept = append(kept, object{"type": kind, sub: value})
	}
	if len(kept) == 0 {
		delete(user, name)
	} else {
		user[name] = kept
	}
}

// patch carries out operations, all or none.
func (m *directory) patch(id string, ops []object) *refusal {
	user := copied(m.users[id]).(object)
	for _, o := range ops {
		verb := strings.ToLower(o["op"].(string))
		path, _ := o["path"].(string)
		value, given := o["value"]
		value = copied(normal(value))
		if name, rest, ok := strings.Cut(path, "["); ok {
			kind, sub, _ := strings.Cut(strings.TrimPrefix(rest, `type eq "`), `"]`)
			filtered(user, verb, name, kind, strings.TrimPrefix(sub, "."), value, given)
			continue
		}
		if verb == "remove" {
			switch {
			case path == "":
				return &refusal{400, "noTarget"}
			case path == "userName":
				return &refusal{400, "mutability"}
			case path == "shoeSize":
				return &refusal{400, "invalidPath"}
			}
			if refused := assign(user, "replace", path, nil); refused != nil {
				return refused
			}
			continue
		}
		if path == "shoeSize" {
			return &refusal{400, "invalidPath"}
		}
		if path != "" {
			if refused := assign(user, verb, path, value); refused != nil {
				return refused
			}
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(value.(object))) {
			if name == "shoeSize" { // left out where there is no path
				continue
			}
			if refused := assign(user, verb, name, value.(object)[name]); refused != nil {
				return refused
			}
		}
	}
	if refused := m.clash(id, user); refused != nil {
		return refused
	}
	m.users[id] = user
	return nil
}

// normal is a value as JSON would read it.
func normal(value any) any {
	switch v := value.(type) {
	case []object:
		out := []any{}
		for _, o := range v {
			out = append(out, normal(o))
		}
		return out
	case object:
		out := object{}
		for name, member := range v {
			out[name] = normal(member)
		}
		return out
	}
	return value
}

// clash reports whether somebody else has the userName, in any case of letters.
func (m *directory) clash(id string, user object) *refusal {
	for other, u := range m.users {
		if other != id && strings.EqualFold(u["userName"].(string), user["userName"].(string)) {
			return &refusal{409, "uniqueness"}
		}
	}
	return nil
}

// built is a user as POST and PUT make it: every attribute of the body anew.
func (m *directory) built(id string, body object) (object, *refusal) {
	user := object{}
	for name, value := range body {
		if name == "schemas" || name == "shoeSize" || name == "id" || name == "meta" {
			continue
		}
		if refused := assign(user, "replace", name, copied(normal(value))); refused != nil {
			return nil, refused
		}
	}
	if user["userName"] == nil {
		return nil, &refusal{400, "invalidValue"}
	}
	return user, m.clash(id, user)
}

// clashing reports whether another group has the name.
func (m *directory) clashing(id, name string) bool {
	for other, g := range m.groups {
		if other != id && strings.EqualFold(g.displayName, name) {
			return true
		}
	}
	return false
}

func (m *directory) known(id string) bool {
	_, user := m.users[id]
	_, group := m.groups[id]
	return user || group
}

// forget takes who was deleted out of every group.
func (m *directory) forget(id string) {
	delete(m.users, id)
	delete(m.groups, id)
	for _, g := range m.groups {
		delete(g.members, id)
	}
}

// of names the groups that have somebody as a member.
func (m *directory) of(id string) (groups []string) {
	for group, g := range m.groups {
		if g.members[id] {
			groups = append(groups, group)
		}
	}
	slices.Sort(groups)
	return groups
}

// A question is a filter, as text and as what it means.
type question struct {
	text string
	asks func(m *directory, id string, user object) bool
}

// read finds the texts at a path, of every element where there are several.
func read(user object, path string) (found []string) {
	if rest, ok := strings.CutPrefix(path, scimprobe.EnterpriseSchema+":"); ok {
		user, _ = user[scimprobe.EnterpriseSchema].(object)
		path = rest
	}
	name, part, _ := strings.Cut(path, ".")
	switch v := user[name].(type) {
	case string:
		return []string{v}
	case object:
		if text, ok := v[part].(string); ok {
			return []string{text}
		}
	case []any:
		for _, e := range v {
			if text, ok := e.(object)[part].(string); ok {
				found = append(found, text)
			}
		}
	}
	return found
}

// compared is one comparison of texts; exact is the case of letters.
func compared(op, got, want string, exact bool) bool {
	if !exact {
		got, want = strings.ToLower(got), strings.ToLower(want)
	}
	switch op {
	case "eq":
		return got == want
	case "ne":
		return got != want
	case "co":
		return strings.Contains(got, want)
	case "sw":
		return strings.HasPrefix(got, want)
	case "ew":
		return strings.HasSuffix(got, want)
	case "gt":
		return got > want
	case "ge":
		return got >= want
	case "lt":
		return got < want
	case "le":
		return got <= want
	}
	panic(op)
}

func compares(path, op, want string) question {
	exact := path == "externalId" || strings.HasSuffix(path, "manager.value") // which is an id
	return question{fmt.Sprintf("%s %s %s", path, op, scimprobe.Quote(want)), func(_ *directory, _ string, user object) bool {
		found := read(user, path)
		if len(found) == 0 {
			return op == "ne" // what is not there is different
		}
		return slices.ContainsFunc(found, func(got string) bool { return compared(op, got, want, exact) })
	}}
}

func present(path string) question {
	return question{path + " pr", func(_ *directory, _ string, user object) bool {
		if path == "active" {
			return user["active"] != nil
		}
		if !strings.Contains(path, ".") && user[path] != nil {
			return true
		}
		return len(read(user, path)) > 0
	}}
}

func activeIs(value string) question {
	return question{"active eq " + value, func(_ *directory, _ string, user object) bool {
		want, _ := boolean(strings.Trim(value, `"`))
		return user["active"] == want
	}}
}

// oneElement asks for one element that satisfies both.
func oneElement(name, kind, op, want string) question {
	return question{fmt.Sprintf(`%s[type eq %s and value %s %s]`, name, scimprobe.Quote(kind), op, scimprobe.Quote(want)), func(_ *directory, _ string, user object) bool {
		list, _ := user[name].([]any)
		return slices.ContainsFunc(list, func(e any) bool {
			value, ok := e.(object)["value"].(string)
			return e.(object)["type"] == kind && ok && compared(op, value, want, false)
		})
	}}
}

func inGroup(id string) question {
	return question{"groups.value eq " + scimprobe.Quote(id), func(m *directory, user string, _ object) bool {
		return m.groups[id] != nil && m.groups[id].members[user]
	}}
}

func both(a, b question) question {
	return question{a.text + " and " + b.text, func(m *directory, id string, u object) bool { return a.asks(m, id, u) && b.asks(m, id, u) }}
}

func either(a, b question) question {
	return question{"(" + a.text + " or " + b.text + ")", func(m *directory, id string, u object) bool { return a.asks(m, id, u) || b.asks(m, id, u) }}
}

func not(a question) question {
	return question{"not (" + a.text + ")", func(m *directory, id string, u object) bool { return !a.asks(m, id, u) }}
}
