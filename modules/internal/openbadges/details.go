package openbadges

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Check holds the details to the rules for issuing. What [AchievementDetails.Complete]
// fills in may be absent; the pointers lead into the details as they were given.
func (d AchievementDetails) Check() []Violation {
	return checkDetails(Achievement{ID: placeholderID(0), AchievementDetails: d}, TypeAchievement,
		func(a *Achievement, newID func() string) { a.Complete(newID) })
}

// Check holds the details to the rules for issuing. What [ProfileDetails.Complete]
// fills in may be absent; the pointers lead into the details as they were given.
func (d ProfileDetails) Check() []Violation {
	return checkDetails(Profile{ID: placeholderID(0), ProfileDetails: d}, TypeProfile,
		func(p *Profile, newID func() string) { p.Complete(newID) })
}

// Check holds the whole achievement, with id, creator and image, to the rules
// for issuing.
func (a Achievement) Check() []Violation {
	return checkDetails(a, TypeAchievement, func(a *Achievement, newID func() string) { a.Complete(newID) })
}

// Check holds the whole profile, with id and image, to the rules for issuing.
func (p Profile) Check() []Violation {
	return checkDetails(p, TypeProfile, func(p *Profile, newID func() string) { p.Complete(newID) })
}

// checkDetails completes its copy of v and sends it through the table in the
// form it will have on the wire, so that there is one set of rules and not two.
func checkDetails[T any](v T, class string, complete func(*T, func() string)) []Violation {
	made := 0
	complete(&v, func() string { made++; return placeholderID(made) })
	data, err := json.Marshal(v)
	if err != nil {
		return []Violation{{Rule: rule(class, "it can be written as JSON"), Detail: err.Error(), Remedy: "give finite numbers and readable endorsements"}}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var doc map[string]any
	if err := decoder.Decode(&doc); err != nil {
		return []Violation{{Rule: rule(class, "it is a JSON object"), Detail: err.Error(), Remedy: "give an object"}}
	}
	c := &checker{strictness: Issuing}
	n := strictjson.NodeOf(doc)
	c.emptiness("", n)
	c.object("", n, classes[class])
	return c.found
}

// placeholderID stands in for an id that is made later.
func placeholderID(n int) string {
	return fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012x", n)
}
