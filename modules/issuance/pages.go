package issuance

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/page"
)

//go:embed templates/*.html
var templates embed.FS

// credentialPage shows a credential to people: what was achieved, why, who says so,
// and where to have it checked. It names no recipient: only the hash is known.
func (h *handlers) credentialPage(c *fiber.Ctx, found Credential) error {
	var doc openbadges.AchievementCredential
	if err := json.Unmarshal(found.Document, &doc); err != nil {
		return fmt.Errorf("issuance: decode %s: %w", found.ID, err)
	}
	picture, err := h.service.PictureFormat(c.UserContext(), found)
	if err != nil {
		return err
	}
	view := page.View{
		Title: doc.Name, Description: doc.CredentialSubject.Achievement.Description, CanonicalURL: h.service.URL(found.ID),
		Pages: h.pages, Body: "credential.html",
	}
	standings, err := h.service.Standings(c.UserContext(), found)
	if err != nil {
		return err
	}
	data := struct {
		openbadges.AchievementCredential
		URL, PNG, SVG, Shown string
		Standing             statuslist.Standing
		Expired              bool
		Results              []shownResult
	}{AchievementCredential: doc, URL: h.service.URL(found.ID), Standing: standings[found.Place], Expired: h.service.Expired(found), Results: results(doc.CredentialSubject)}
	if picture != "" {
		data.SVG = data.URL + "/badge.svg"
		data.Shown = data.SVG
	}
	if picture == image.PNG {
		data.PNG = data.URL + "/badge.png"
		data.Shown = data.PNG
		view.ImageURL = data.PNG
	}
	view.Data = data
	return h.page.Render(c, fiber.StatusOK, view)
}

// shownResult is a result with the names that its ids stand for.
type shownResult struct{ Name, Text string }

// results tells which results were reached, in the words of the achievement.
//
// Open Badges 3.0, Result: resultDescription and achievedLevel are ids within the achievement.
func results(subject openbadges.AchievementSubject) []shownResult {
	var shown []shownResult
	for _, r := range subject.Result {
		one := shownResult{Name: "Result"}
		parts := []string{r.Value, r.Status}
		for _, d := range subject.Achievement.ResultDescription {
			if d.ID == r.ResultDescription && d.ID != "" {
				one.Name = d.Name
			}
			for _, level := range d.RubricCriterionLevel {
				if level.ID == r.AchievedLevel && level.ID != "" {
					parts = append(parts, level.Name)
				}
			}
		}
		one.Text = strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
		if one.Text != "" {
			shown = append(shown, one)
		}
	}
	return shown
}
