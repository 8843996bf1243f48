package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/test/entrasim"
)

func TestSomebodySignsInWithARealBrowser(t *testing.T) {
	c := newCampus(t, nil, entrasim.WithAccountPicker())
	who := c.sim.User.ObjectID
	c.sim.Change(who, func(u *entrasim.User) { u.Overage = true })
	b := newChromium(t)
	status := func(want string) {
		t.Helper()
		if got := b.eval("fetch('/api/v1/tokens').then(r => String(r.status))"); got != want {
			t.Errorf("the admin route answers %s instead of %s", got, want)
		}
	}

	b.open(c.base+"/auth/me", c.sim.Authority) // who is not signed in is sent to Entra
	b.eval("document.querySelector('button[value=\"" + who + "\"]').click()")
	if page := b.until(c.base + "/auth/me"); !strings.Contains(page, who) || !strings.Contains(page, "member") {
		t.Errorf("the page says %q", page)
	}
	if seen := b.eval("document.cookie"); seen != "" {
		t.Errorf("scripts see the cookies %q", seen)
	}
	status("403")

	c.sim.JoinGroups(who, adminGroup)
	c.clock.advance(5 * time.Minute)
	status("200")
	if page := b.open(c.base+"/auth/me", c.base+"/auth/me"); !strings.Contains(page, "admin") {
		t.Errorf("the page says %q", page)
	}
	if got := b.eval("fetch('/api/v1/tokens', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{\"name\":\"x\",\"scopes\":[\"scim\"]}'}).then(r => r.json()).then(p => p.code)"); got != "auth.csrf" {
		t.Errorf("a change without the token: %s", got)
	}
	if got := b.eval("fetch('/api/v1/tokens', {method: 'POST', headers: {'Content-Type': 'application/json', 'X-CSRF-Token': document.querySelector('[name=csrf_token]').value}, body: '{\"name\":\"x\",\"scopes\":[\"scim\"]}'}).then(r => String(r.status))"); got != "201" {
		t.Errorf("a change with the token: %s", got)
	}

	c.must(204, c.send("POST", "/api/v1/people/"+c.sim.TenantID+"/"+who+"/deactivate", nil))
	status("401")
	c.must(204, c.send("POST", "/api/v1/people/"+c.sim.TenantID+"/"+who+"/reactivate", nil))
	status("401")

	c.clock.advance(time.Minute)
	b.open(c.base+"/auth/login", c.sim.Authority)
	b.eval("document.querySelector('button[value=\"" + who + "\"]').click()")
	b.until(c.base + "/auth/me")
	b.eval("document.querySelector('form[action=\"/auth/logout\"] button').click()")
	if page := b.until(c.base + "/auth/signed-out"); !strings.Contains(page, "signed out") || c.sim.Calls(entrasim.Logout) != 1 {
		t.Errorf("after %d sign-outs at Entra the page says %q", c.sim.Calls(entrasim.Logout), page)
	}
	status("401")
}
