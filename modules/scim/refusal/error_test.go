package refusal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
)

func TestARefusalIsTheErrorMessageOfTheProtocol(t *testing.T) {
	for _, row := range []struct {
		err  *refusal.Error
		want string
	}{
		{refusal.New(refusal.Uniqueness, "%s is already in use.", "userName"), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"userName is already in use."}`},
		{refusal.New(refusal.InvalidFilter, "x").At("Operations[2]"), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter","detail":"Operations[2]: x"}`},
		{refusal.New(refusal.Sensitive, "x"), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"403","scimType":"sensitive","detail":"x"}`},
		{refusal.Status(404, "Resource 7 not found."), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"Resource 7 not found."}`},
	} {
		got, err := json.Marshal(row.err)
		if err != nil || string(got) != row.want {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

func TestFrom(t *testing.T) {
	one := refusal.New(refusal.NoTarget, "a")
	wrapped := fmt.Errorf("scim: %w", one)
	if e, ok := refusal.From(wrapped); !ok || e != one || e.Error() != "scim: 400 noTarget: a" {
		t.Errorf("got %v", e)
	}
	if _, ok := refusal.From(errors.New("x")); ok {
		t.Error("any error is a refusal")
	}
	if !errors.Is(wrapped, refusal.New(refusal.NoTarget, "b")) || errors.Is(wrapped, refusal.New(refusal.InvalidPath, "a")) || errors.Is(wrapped, refusal.Status(400, "a")) {
		t.Error("a refusal is one of its kind")
	}
}
