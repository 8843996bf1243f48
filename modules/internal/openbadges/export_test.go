package openbadges

import "github.com/badge-engine/badge-engine/modules/internal/strictjson"

// CheckLoudly is [CheckCredentialOf] without the quiet look that comes first.
func CheckLoudly(doc *strictjson.Node, s Strictness) []Violation {
	c := checker{strictness: s}
	c.judge(doc, TypeAchievementCredential)
	return c.found
}
