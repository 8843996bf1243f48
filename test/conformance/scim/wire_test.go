package scim

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

// TestRequestsAsTheyComeOverTheWire: clients put one request in several ways.
func TestRequestsAsTheyComeOverTheWire(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		name := "wire-" + scimprobe.GUID()
		id := d.user(object{"userName": name, "emails": []object{{"type": "work", "value": name}}})
		for _, target := range []string{
			"/Users?filter=userName%20eq%20%22" + name + "%22",
			"/Users?filter=userName+eq+%22" + name + "%22",
			"/Users?filter=userName%20eq%20\"" + name + "\"",
			"/Users?filter=userName%20eq%20%22" + strings.ReplaceAll(name, "-", "%2D") + "%22",
			"/Users?filter=emails[type%20eq%20%22work%22].value%20eq%20%22" + name + "%22",
			"/Users?filter=emails%5btype%20eq%20%22work%22%5d.value%20eq%20%22" + name + "%22",
			"/Users/?filter=userName+eq+%22" + name + "%22",
			"/Users?aadOptscim062020&filter=userName+eq+%22" + name + "%22",
			"/Users?filter=userName+eq+%22" + name + "%22&aadOptscim062020=",
			"/Users?x=1&filter=userName+eq+%22" + name + "%22&x=2",
		} {
			list := d.must(200, "GET", target, nil).Document()
			if found := resources(list); len(found) != 1 || found[0]["id"] != id {
				t.Errorf("%s finds %s", target, js(list))
			}
		}
		// The flag may come along with everything.
		d.must(200, "PATCH", "/Users/"+id+"?aadOptscim062020", operations(op("replace", "title", "x")))
		d.must(201, "POST", "/Users?aadOptscim062020", person(nil))
		d.must(200, "GET", "/Users/"+id+"?aadOptscim062020", nil)

		// A body of unknown length, and one that waits to be asked for.
		for _, form := range []string{"in chunks", "after 100 Continue"} {
			body := js(operations(op("Replace", "title", form)))
			var reader io.Reader = strings.NewReader(body)
			if form == "in chunks" {
				reader = io.MultiReader(strings.NewReader(body[:10]), strings.NewReader(body[10:])) // of which Go does not know the length
			}
			request, err := http.NewRequestWithContext(t.Context(), "PATCH", d.client.Base.String()+"/Users/"+id, reader)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+d.client.Token)
			request.Header.Set("Content-Type", scimprobe.MediaType)
			if form != "in chunks" {
				request.Header.Set("Expect", "100-continue")
			}
			response, err := d.client.HTTP.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			said, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if got := d.get("/Users/" + id)["title"]; response.StatusCode != 200 || got != form {
				t.Errorf("%s: %d %s; the title is %v", form, response.StatusCode, said, got)
			}
		}

		// HEAD is GET without the body. RFC 9110, 9.3.2.
		for _, target := range []string{"/Users/" + id, "/Users?count=1", "/Schemas"} {
			get, head := d.must(200, "GET", target, nil), d.must(200, "HEAD", target, nil)
			if len(head.Body) != 0 || head.Header.Get("ETag") != get.Header.Get("ETag") || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
				t.Errorf("HEAD of %s says %v", target, head.Header)
			}
		}
	})
}

// TestADirectoryOfManyGroupsOfOneName: real tenants have such, and match by externalId. A
// setting lets them in.
func TestADirectoryOfManyGroupsOfOneName(t *testing.T) {
	d := boot(t, duplicateNames)
	name := "All staff " + scimprobe.GUID()
	var first string
	for _, oid := range []string{scimprobe.GUID(), scimprobe.GUID()} {
		id := d.team(object{"displayName": name, "externalId": oid})
		if found := d.find("/Groups", "externalId eq "+scimprobe.Quote(oid), "excludedAttributes", "members"); len(found) != 1 || found[0]["id"] != id || id == first {
			t.Errorf("%s finds %s", oid, js(found))
		}
		first = id
	}
	if found := d.find("/Groups", "displayName eq "+scimprobe.Quote(name)); len(found) != 2 {
		t.Errorf("of two groups %d are found", len(found))
	}
}

// TestListsLeaveLargeGroupsToThemselves: half a million members of each of a hundred groups
// is no answer; whoever asks for one group gets all of it.
func TestListsLeaveLargeGroupsToThemselves(t *testing.T) {
	d := boot(t, fewListedMembers)
	small, large := d.team(nil), d.team(nil)
	a, b, c := d.user(nil), d.user(nil), d.user(nil)
	d.patchGroup(small, op("Add", "members", values(a, b)))
	d.patchGroup(large, op("Add", "members", values(a, b, c)))
	for _, g := range d.find("/Groups", "id pr") {
		members, _ := g["members"].([]any)
		if g["id"] == small && len(members) != 2 || g["id"] == large && members != nil {
			t.Errorf("listed is %s", js(g))
		}
	}
	d.hasMembers(large, a, b, c)
}
