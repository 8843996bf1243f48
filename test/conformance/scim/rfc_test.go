package scim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

const acme = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"

// names are what a list has as nickName, in order.
func names(list []object) []string {
	found := []string{}
	for _, r := range list {
		found = append(found, fmt.Sprint(r["nickName"]))
	}
	slices.Sort(found)
	return found
}

// TestFilters holds the language of filters against RFC 7644, 3.4.2.2 (Filtering), with
// what Entra and its tools add.
func TestFilters(t *testing.T) {
	eachWith(t, numbersAndMoments, func(t *testing.T, d *desk) {
		tag := scimprobe.GUID()
		d.user(object{"nickName": "a", "title": tag, "displayName": "Ann", "active": true, "name": object{"familyName": "Zed"}, "emails": []object{{"type": "work", "value": "ann@x"}, {"type": "home", "value": "ann@y"}},
			scimprobe.EnterpriseSchema: object{"department": "R"}})
		d.user(object{"nickName": "b", "title": tag, "displayName": "bob", "active": false, "emails": []object{{"type": "work", "value": "bob@y"}}})
		d.user(object{"nickName": "c", "title": tag, "emails": []object{{"type": "home", "value": "carl@x", "primary": true}},
			acme: object{"badgeLevel": "3", "points": 9007199254740993, "since": "2019-10-10T14:38:21.8617979-07:00"}})
		for filter, want := range map[string]string{
			`displayName eq "ann"`:                                               "a",
			`displayName ne "ann"`:                                               "b c", // what is not there is different
			`not (displayName eq "ann")`:                                         "b c",
			`not(displayName eq "ann")`:                                          "b c",
			`displayName pr`:                                                     "a b",
			`not (displayName pr)`:                                               "c",
			`displayName eq null`:                                                "c",
			`displayName ne null`:                                                "a b",
			`displayName gt "b"`:                                                 "b",
			`displayName le "ANN"`:                                               "a",
			`displayName sw "B"`:                                                 "b",
			`displayName ew "NN"`:                                                "a",
			`displayName co "o"`:                                                 "b",
			`displayName CO "O" AND active EQ false`:                             "b",
			`name pr`:                                                            "a",
			`name.familyName eq "zed"`:                                           "a",
			`active eq true`:                                                     "a",
			`active eq "False"`:                                                  "b",
			`not (active eq true)`:                                               "b c",
			`emails.type eq "work" and emails.value co "@y"`:                     "a b", // of different elements
			`emails[type eq "work" and value co "@y"]`:                           "b",   // of one element
			`emails[type eq "work"].value co "@y"`:                               "b",
			`emails[not (type eq "work")]`:                                       "a c",
			`emails[primary eq true]`:                                            "c",
			`emails[primary eq "True"].value pr`:                                 "c",
			`emails eq "bob@y"`:                                                  "b",
			`emails.value ew "X"`:                                                "a c",
			`emails pr`:                                                          "a b c",
			`phoneNumbers pr`:                                                    "",
			`meta.created gt "2001-01-01T00:00:00+02:00"`:                        "a b c",
			`meta.lastModified lt "2001-01-01T00:00:00Z"`:                        "",
			`meta.resourceType eq "User"`:                                        "a b c",
			`meta.resourceType eq "Group"`:                                       "",
			`schemas eq "` + scimprobe.EnterpriseSchema + `"`:                    "a",
			`schemas eq "` + acme + `"`:                                          "c",
			`department eq "r"`:                                                  "a",
			scimprobe.EnterpriseSchema + `:department eq "r"`:                    "a",
			acme + `:badgeLevel eq "3"`:                                          "c",
			acme + `:points eq 9007199254740993`:                                 "c",
			acme + `:points gt 9007199254740992`:                                 "c",
			acme + `:points lt 9007199254740993`:                                 "",
			acme + `:since eq "2019-10-10T21:38:21.8617979Z"`:                    "c", // the same moment
			acme + `:since gt "2019-10-10T22:00:00+01:00"`:                       "c",
			`displayName eq "ann" or displayName eq "bob" and active eq true`:    "a", // and binds tighter
			`displayName eq "bob" and active eq true or displayName eq "ann"`:    "a",
			`(displayName eq "ann" or displayName eq "bob") and active eq false`: "b",
			`not (displayName eq "ann") and active eq false`:                     "b", // and not tighter still
			`not (displayName eq "ann" or displayName eq "bob")`:                 "c",
			`((displayName eq "ann"))`:                                           "a",
			`  displayName   eq   "ann"  `:                                       "a",
			`displayName eq "\u0041nn"`:                                          "a",
			`displayName eq Ann`:                                                 "a",
		} {
			whole := `title eq "` + tag + `" and (` + filter + `)`
			got := strings.Join(names(d.find("/Users", whole)), " ")
			if got != want {
				t.Errorf("%s finds %q, not %q", filter, got, want)
			}
			list := d.must(200, "POST", "/Users/.search", object{"schemas": []string{scimprobe.SearchSchema}, "filter": whole, "attributes": []string{"nickName"}}).Document()
			if searched := strings.Join(names(resources(list)), " "); searched != want || js(list["totalResults"]) != fmt.Sprint(len(strings.Fields(want))) {
				t.Errorf("%s finds %s by POST, not %q", filter, js(list), want)
			}
		}
		// Across types what a type does not know has no value there.
		d.team(object{"displayName": "Ann " + tag})
		d.user(object{"nickName": "d", "displayName": "ann " + tag})
		for target, want := range map[string]int{
			scimprobe.Query("", "filter", `displayName eq "ANN `+tag+`"`):                      2,
			scimprobe.Query("", "filter", `displayName eq "ANN `+tag+`" and nickName eq "d"`):  1,
			scimprobe.Query("", "filter", `displayName eq "ANN `+tag+`" and not (members pr)`): 2,
			scimprobe.Query("/", "filter", `title eq "`+tag+`"`):                               3,
		} {
			if found := resources(d.must(200, "GET", target, nil).Document()); len(found) != want {
				t.Errorf("%s finds %d, not %d", target, len(found), want)
			}
		}
	})
}

// TestNumbersAndMoments are kept as they are, or refused.
func TestNumbersAndMoments(t *testing.T) {
	eachWith(t, numbersAndMoments, func(t *testing.T, d *desk) {
		for value, want := range map[string]string{ // empty: refused
			"0": "0", "-1": "-1", `"12"`: "12", "9007199254740993": "9007199254740993",
			"9223372036854775807": "9223372036854775807", "9223372036854775808": "9223372036854775808", "99999999999999999999999": "99999999999999999999999", "1.5": "", `"many"`: "", "1e400": "", "true": "", "[1,2]": "", `{"a":1}`: "",
		} {
			body := fmt.Sprintf(`{"schemas":[%q],"userName":%q,%q:{"points":%s}}`, scimprobe.UserSchema, scimprobe.GUID(), acme, value)
			a := d.ask("POST", "/Users", body)
			if want == "" {
				if kind := a.Document()["scimType"]; a.Status != 400 || kind != "invalidValue" && kind != "invalidSyntax" {
					t.Errorf("points %s: %s", value, a)
				}
				continue
			}
			extension, _ := a.Document()[acme].(object)
			if a.Status != 201 || js(extension["points"]) != want {
				t.Errorf("points %s: %s", value, a)
			}
		}
		for filter, want := range map[string]int{" gt 9223372036854775807": 2, " eq 9223372036854775808": 1, " ge 99999999999999999999999": 1, " lt 0": 1, " gt 1e300": 0} {
			if found := d.find("/Users", acme+":points"+filter); len(found) != want {
				t.Errorf("points%s finds %d, not %d", filter, len(found), want)
			}
		}
		// A format is not looked at: Microsoft's validators send anything and want it back.
		for _, value := range []string{"2019-10-10T14:38:21.8617979-07:00", "2026-01-10T08:00:00Z", "yesterday", "2026-13-01T00:00:00Z"} {
			_, created := d.create("/Users", person(object{acme: object{"since": value}}))
			if extension, _ := created[acme].(object); extension["since"] != value {
				t.Errorf("since %s comes back as %v", value, extension["since"])
			}
		}
		if found := d.find("/Users", acme+`:since gt "2026-01-10T09:00:00+01:30"`); len(found) != 1 {
			t.Errorf("later than half past seven are %d", len(found))
		}
	})
}

// TestCursors holds paging by cursor against RFC 9865: pages stay right while users come,
// and a cursor belongs to one query.
func TestCursors(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		tag := scimprobe.GUID()
		want := map[string]bool{}
		for range 11 {
			want[d.user(object{"title": tag})] = true
		}
		filter := "title eq " + scimprobe.Quote(tag)
		page := func(cursor string, more ...string) object {
			t.Helper()
			return d.must(200, "GET", scimprobe.Query("/Users", append([]string{"filter", filter, "count", "3", "cursor", cursor}, more...)...), nil).Document()
		}
		orders := [][]string{nil, {"sortBy", "userName"}, {"sortBy", "userName", "sortOrder", "descending"}, {"sortBy", "displayName"}}
		for i, order := range append(orders, orders...) {
			busy := i >= len(orders) // users come while somebody pages
			seen, cursor := map[string]bool{}, ""
			var pages [][]string
			for {
				list := page(cursor, order...)
				if list["startIndex"] != nil {
					t.Errorf("a page by cursor has a startIndex: %s", js(list))
				}
				var here []string
				for _, r := range resources(list) {
					id := r["id"].(string)
					if seen[id] {
						t.Errorf("%v: %s is on two pages", order, id)
					}
					seen[id] = true
					here = append(here, id)
				}
				pages = append(pages, here)
				if back, _ := list["previousCursor"].(string); back != "" && len(pages) > 1 && !busy {
					if before := ids(resources(page(back, order...))); !slices.Equal(before, pages[len(pages)-2]) {
						t.Errorf("%v: the page before is %v, not %v", order, before, pages[len(pages)-2])
					}
				}
				cursor, _ = list["nextCursor"].(string)
				if cursor == "" {
					break
				}
				if busy {
					want[d.user(object{"title": tag})] = true
				}
				if len(pages) > 50 {
					t.Fatal("the pages do not end")
				}
			}
			missing := 0
			for id := range want {
				if !seen[id] {
					missing++
				}
			}
			if missing > len(pages) || missing > 0 && !busy { // who comes meanwhile may be missed, one a page
				t.Errorf("%v: %d are on no page", order, missing)
			}
		}
		first := page("")
		next, _ := first["nextCursor"].(string)
		if strings.Trim(next, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") != "" {
			t.Errorf("a cursor has signs that an address must escape: %s", next)
		}
		other := scimprobe.Query("/Users", "filter", filter+" and userName pr", "count", "3", "cursor", next)
		d.refused(400, "invalidCursor", "GET", other, nil)
		d.refused(400, "invalidCursor", "GET", scimprobe.Query("/Users", "filter", filter, "sortBy", "userName", "count", "3", "cursor", next), nil)
		d.refused(400, "invalidCursor", "GET", scimprobe.Query("/Users", "filter", filter, "count", "3", "cursor", next[:len(next)-2]+"xx"), nil)
		d.refused(400, "invalidCursor", "GET", scimprobe.Query("/Groups", "count", "3", "cursor", next), nil)
		searched := d.must(200, "POST", "/Users/.search", object{"schemas": []string{scimprobe.SearchSchema}, "filter": filter, "count": 3, "cursor": ""}).Document()
		if searched["nextCursor"] == nil || len(resources(searched)) != 3 {
			t.Errorf("a search gives %s", js(searched))
		}
	})
}

// TestProjections holds what is shown against RFC 7644, 3.9 (Attributes): also in what
// changes answer.
func TestProjections(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		body := everything(nil)
		shown := func(a scimprobe.Answer) string {
			t.Helper()
			document := a.Document()
			return strings.Join(slices.Sorted(maps.Keys(document)), " ")
		}
		a := d.must(201, "POST", "/Users?attributes=userName,NAME.givenName", body)
		if got := shown(a); got != "id name schemas userName" || a.Header.Get("Location") == "" {
			t.Errorf("POST shows %s", got)
		}
		id := a.Document()["id"].(string)
		target := "/Users/" + id
		if got := js(a.Document()["name"]); got != `{"givenName":"Kaylin"}` {
			t.Errorf("the name is %s", got)
		}
		if got := shown(d.must(200, "PUT", target+"?attributes=title", body)); got != "id schemas title" {
			t.Errorf("PUT shows %s", got)
		}
		if got := shown(d.must(200, "PATCH", target+"?attributes=title", operations(op("replace", "title", "x")))); got != "id schemas title" {
			t.Errorf("PATCH shows %s", got)
		}
		for parameters, want := range map[string]string{
			"attributes=" + scimprobe.EnterpriseSchema:                 "id schemas " + scimprobe.EnterpriseSchema,
			"attributes=" + scimprobe.EnterpriseSchema + ":department": "id schemas " + scimprobe.EnterpriseSchema,
			"attributes=id":           "id schemas",
			"attributes=shoeSize":     "id schemas",
			"attributes=meta.version": "id meta schemas",
		} {
			if got := shown(d.must(200, "GET", target+"?"+parameters, nil)); got != want {
				t.Errorf("%s shows %q, not %q", parameters, got, want)
			}
		}
		got := d.get(target + "?excludedAttributes=id,schemas,userName,emails,name.familyName,meta.location")
		if got["id"] == nil || got["schemas"] == nil || got["userName"] != nil || got["emails"] != nil || at(got, "name.familyName") != nil || at(got, "name.givenName") == nil || at(got, "meta.location") != nil || got[scimprobe.EnterpriseSchema] == nil {
			t.Errorf("excluded leaves %s", js(got))
		}
		group := d.team(nil)
		a = d.must(200, "PATCH", "/Groups/"+group+"?attributes=displayName", operations(op("replace", "displayName", "n-"+scimprobe.GUID())))
		if got := shown(a); got != "displayName id schemas" {
			t.Errorf("PATCH of a group shows %s", got)
		}
	})
}

// TestVersions holds conditions against RFC 7644, 3.14 (Versioning Resources).
func TestVersions(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for endpoint, change := range map[string]object{"/Users/": op("replace", "title", "x"), "/Groups/": op("replace", "externalId", "x")} {
			id := d.team(nil)
			if endpoint == "/Users/" {
				id = d.user(nil)
			}
			target := endpoint + id
			a := d.must(200, "GET", target, nil)
			first := a.Header.Get("ETag")
			d.must(304, "GET", target, nil, "If-None-Match", first)
			d.must(304, "GET", target, nil, "If-None-Match", `W/"other", `+first)
			d.must(304, "GET", target, nil, "If-None-Match", "*")
			d.refused(412, "", "PATCH", target, operations(change), "If-Match", `W/"other"`)
			if a := d.ask("PATCH", target, operations(change), "If-Match", first); a.Status/100 != 2 || a.Header.Get("ETag") == first {
				t.Errorf("%s with %v", a, a.Header)
			}
			a = d.must(200, "GET", target, nil, "If-None-Match", first)
			second := a.Header.Get("ETag")
			if second == first || at(a.Document(), "meta.version") != second {
				t.Errorf("after %s comes %s: %s", first, second, a)
			}
			if a := d.ask("PATCH", target, operations(change)); a.Status/100 != 2 || d.must(200, "GET", target, nil).Header.Get("ETag") != second {
				t.Errorf("the same again makes a new version: %s", a)
			}
			d.refused(412, "", "DELETE", target, nil, "If-Match", first)
			if a := d.ask("PATCH", target, operations(change), "If-Match", "*"); a.Status/100 != 2 {
				t.Errorf("%s", a)
			}
			d.refused(412, "", "DELETE", target, nil, "If-Match", first+`, W/"other"`)
			d.must(204, "DELETE", target, nil, "If-Match", `W/"other", `+second)
			d.refused(404, "", "DELETE", target, nil, "If-Match", "*")
		}
	})
}

// TestTwoTokensLiveAtOnce, so that one can be replaced without a gap, and neither opens
// anything else.
func TestTwoTokensLiveAtOnce(t *testing.T) {
	d := boot(t, nil)
	made := d.api(201, "POST", "/api/v1/tokens", object{"name": "next", "scopes": []string{"scim"}})
	old, next := d.client, connect(t, d.base+"/scim/v2", made["token"].(string))
	for _, c := range []*scimprobe.Client{old, next} {
		d.client = c
		d.must(200, "GET", "/Users?count=1", nil)
		api := connect(t, d.base, c.Token)
		for _, path := range []string{"/api/v1/tokens", "/api/v1/credentials", "/api/v1/provisioning", "/metrics"} {
			if a, err := api.Send(t.Context(), "GET", path, nil); err != nil || a.Status != 403 && a.Status != 401 {
				t.Errorf("%s opens for a provisioning token: %v %s", path, err, a)
			}
		}
	}
	a, err := connect(t, d.base, admin).Send(t.Context(), "DELETE", "/api/v1/tokens/"+made["id"].(string), nil)
	if err != nil || a.Status/100 != 2 {
		t.Fatalf("%v %s", err, a)
	}
	d.client = next
	for deadline := time.Now().Add(20 * time.Second); d.ask("GET", "/Users?count=1", nil).Status != 401; {
		if time.Now().After(deadline) {
			t.Fatal("a revoked token still opens")
		}
		time.Sleep(100 * time.Millisecond)
	}
	d.client = old
	d.must(200, "GET", "/Users?count=1", nil)
}
