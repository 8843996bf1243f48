package scim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func TestARequestIsShownWithoutWhatItSaysAboutPeople(t *testing.T) {
	for _, row := range []struct{ name, sent, shown string }{
		{"nothing", "", ""},
		{"no JSON", "Ada Lovelace", "[12 bytes that are no JSON]"},
		{"a change", `{"schemas":["urn:x"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ada@example.org"},{"op":"Add","path":"active","value":"False"}]}`,
			`{"schemas":["urn:x"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"[15 characters]"},{"op":"Add","path":"active","value":"False"}]}`},
		{"a path that names somebody", `{"path":"emails[value eq \"ada@example.org\"]"}`, `{"path":"emails[value eq \"…\"]"}`},
		{"a member", `{"value":[{"value":"3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10"}]}`, `{"value":[{"value":"3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10"}]}`},
		{"many members", `{"value":["a","b","c","d","e","f"]}`, `{"value":["[1 characters]","[1 characters]","[1 characters]","[3 more]"]}`},
		{"a number and nothing", `{"phone":4412345,"title":null}`, `{"phone":"[number]","title":null}`},
		{"a key that is a path", `{"emails[value eq \"ada\"].type":"x"}`, `{"emails[value eq \"…\"].type":"[1 characters]"}`},
		{"a type that is none", `{"type":"` + strings.Repeat("Ada ", 40) + `"}`, `{"type":"[160 characters]"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := redactBody(row.sent); got != row.shown {
				t.Errorf("%s is shown as %s", row.sent, got)
			}
		})
	}
	if long := redactBody(`["` + strings.Repeat(`","`, 100_000) + `"]`); len(long) > journalRequest+10 {
		t.Errorf("a long request is shown with %d bytes", len(long))
	}
	for sent, shown := range map[string]string{
		`userName eq "ada"`: `userName eq "…"`, `name.familyName eq Lovelace and active eq true`: `name.familyName eq … and active eq true`,
		`emails[type eq "work"].value eq "a@b"`: `emails[type eq "work"].value eq "…"`, `x eq "unterminated`: `x eq "…"`, `x eq "a\"b"`: `x eq "…"`,
	} {
		if got := redactFilter(sent); got != shown {
			t.Errorf("%s is shown as %s", sent, got)
		}
	}
}

// memories are records in slices.
type memories struct {
	contacts []Contact
	failures []Failure
	err      error
}

func (m *memories) Note(_ context.Context, c []Contact, f []Failure) error {
	if m.err == nil {
		m.contacts, m.failures = append(m.contacts, c...), append(m.failures, f...)
	}
	return m.err
}

func TestTheJournalIsBoundedAndLosesNothingWhileTheDatabaseIsAway(t *testing.T) {
	m := &memories{err: errors.New("away")}
	j := NewJournal(m, time.Now, slog.New(slog.DiscardHandler))
	for i := range 1000 {
		j.Heard("token:1")
		j.Heard(fmt.Sprintf("token:%d", i))
		j.Refused(Failure{Principal: "token:1", Method: "POST", Route: "/scim/v2/Users", Code: "scim.uniqueness", Detail: "userName is already in use."})
		j.Refused(Failure{Principal: "token:1", Code: fmt.Sprintf("code.%d", i)})
		if i%100 == 0 {
			if err := j.Flush(t.Context()); err == nil {
				t.Fatal("nothing is said of the database being away")
			}
		}
	}
	m.err = nil
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(m.contacts) > journalContacts || len(m.failures) > journalEntries {
		t.Errorf("%d contacts and %d failures were written", len(m.contacts), len(m.failures))
	}
	for _, c := range m.contacts {
		if c.Principal == "token:1" && (c.Requests != 1001 || c.Failures != 2000) {
			t.Errorf("the contact is %+v", c)
		}
	}
	for _, f := range m.failures {
		if f.Code == "scim.uniqueness" && f.Count != 1000 {
			t.Errorf("the failure is %+v", f)
		}
	}
}

func TestTheLastFailuresAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		store := NewStore(db, registryWith(t, ""))
		j := NewJournal(store, time.Now, slog.New(slog.DiscardHandler))
		for i := range 2*FailuresKept + 7 {
			j.Heard("token:1")
			j.Refused(Failure{Principal: "token:1", Code: fmt.Sprintf("code.%03d", i)})
			if i%50 == 0 {
				if err := j.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := j.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		failures, err := store.Failures(t.Context(), 10*FailuresKept)
		if err != nil || len(failures) != FailuresKept || failures[0].Code != fmt.Sprintf("code.%03d", 2*FailuresKept+6) {
			t.Errorf("%d failures, %v", len(failures), err)
		}
		contacts, err := store.Contacts(t.Context())
		if err != nil || len(contacts) != 1 || contacts[0].Requests != int64(2*FailuresKept+7) || contacts[0].Failures != contacts[0].Requests {
			t.Errorf("contacts are %+v, %v", contacts, err)
		}
	}, Schema())
}

func TestTheLogNamesAttributesAndNothingElse(t *testing.T) {
	got := unknownNames([]string{"shoeSize", "urn:x:2.0:User:size", "ada@example.org", "a b", "", "1", "2", "3", "4", "5", "6"})
	if want := "shoeSize urn:x:2.0:User:size … … … 1 2 3 4 5"; strings.Join(got, " ") != want {
		t.Errorf("got %q", got)
	}
}
