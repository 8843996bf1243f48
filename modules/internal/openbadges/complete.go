package openbadges

import "slices"

// The Complete methods fill in what the rules ask for and a caller need not
// know. What the caller set stays, and slices are copied before they change,
// so that two completions never write to one array. newID answers with a fresh
// absolute URI, such as urn:uuid:….

func fillTypes(types *[]string, names ...string) {
	if len(*types) == 0 {
		*types = names
	}
}

func fill(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// each calls complete on every element of a copy of *list.
func each[T any](list *[]T, complete func(*T)) {
	*list = slices.Clone(*list)
	for i := range *list {
		complete(&(*list)[i])
	}
}

// replaced points *p at a completed copy of what it pointed at.
func replaced[T any](p **T, complete func(*T)) {
	if *p != nil {
		copied := **p
		complete(&copied)
		*p = &copied
	}
}

func completeImage(i *Image)                     { fill(&i.Type, TypeImage) }
func completeIdentifierEntry(e *IdentifierEntry) { fill(&e.Type, TypeIdentifierEntry) }
func completeIdentity(o *IdentityObject)         { fill(&o.Type, TypeIdentityObject) }
func completeAlignment(a *Alignment)             { fillTypes(&a.Type, TypeAlignment) }

// Complete fills in contexts and types, and the ids that are absent, in the
// whole credential except its own id, its issuer's and its achievement's.
func (c *AchievementCredential) Complete(newID func() string) {
	fillTypes(&c.Type, TypeVerifiableCredential, TypeOpenBadgeCredential)
	replaced(&c.Image, completeImage)
	c.Issuer.Complete(newID)
	c.CredentialSubject.Complete(newID)
	each(&c.Evidence, func(e *Evidence) { e.Complete(newID) })
	if len(c.Context) == 0 {
		c.Context = Contexts()
		if c.usesExtensions() {
			c.Context = append(c.Context, ExtensionsContext)
		}
	}
}

// usesExtensions tells whether a type that only the extensions context defines
// is used.
func (c *AchievementCredential) usesExtensions() bool {
	return c.CredentialStatus != nil && isExtensionType(c.CredentialStatus.Type) ||
		c.RefreshService != nil && isExtensionType(c.RefreshService.Type) ||
		slices.ContainsFunc(c.CredentialSchema, func(s CredentialSchema) bool { return isExtensionType(s.Type) }) ||
		slices.ContainsFunc(c.TermsOfUse, func(t TermsOfUse) bool { return isExtensionType(t.Type) })
}

// Complete fills in contexts and types of an endorsement.
func (c *EndorsementCredential) Complete(newID func() string) {
	if len(c.Context) == 0 {
		c.Context = Contexts()
	}
	fillTypes(&c.Type, TypeVerifiableCredential, TypeEndorsementCredential)
	fillTypes(&c.CredentialSubject.Type, TypeEndorsementSubject)
	c.Issuer.Complete(newID)
}

// Complete fills in the types of the subject and of all it holds, and the ids
// that its achievement lacks.
func (s *AchievementSubject) Complete(newID func() string) {
	fillTypes(&s.Type, TypeAchievementSubject)
	each(&s.Identifier, completeIdentity)
	replaced(&s.Image, completeImage)
	replaced(&s.Source, func(p *Profile) { p.Complete(newID) })
	each(&s.Result, func(r *Result) { r.Complete(newID) })
	s.Achievement.Complete(newID)
}

// Complete fills in the types of the result.
func (r *Result) Complete(func() string) {
	fillTypes(&r.Type, TypeResult)
	each(&r.Alignment, completeAlignment)
}

// Complete fills in the type of the evidence.
func (e *Evidence) Complete(func() string) { fillTypes(&e.Type, TypeEvidence) }

// Complete fills in the types of the achievement and of all it holds, and the
// ids that its result descriptions and rubric levels lack.
func (a *Achievement) Complete(newID func() string) {
	fillTypes(&a.Type, TypeAchievement)
	replaced(&a.Creator, func(p *Profile) { p.Complete(newID) })
	replaced(&a.Image, completeImage)
	a.AchievementDetails.Complete(newID)
}

// Complete fills in the types of all that the details hold, and the ids that
// result descriptions and rubric levels lack.
func (d *AchievementDetails) Complete(newID func() string) {
	each(&d.Alignment, completeAlignment)
	each(&d.OtherIdentifier, completeIdentifierEntry)
	each(&d.Related, func(r *Related) { fillTypes(&r.Type, TypeRelated) })
	each(&d.ResultDescription, func(r *ResultDescription) {
		fillTypes(&r.Type, TypeResultDescription)
		if r.ID == "" {
			r.ID = newID()
		}
		each(&r.Alignment, completeAlignment)
		each(&r.RubricCriterionLevel, func(l *RubricCriterionLevel) {
			fillTypes(&l.Type, TypeRubricCriterionLevel)
			if l.ID == "" {
				l.ID = newID()
			}
			each(&l.Alignment, completeAlignment)
		})
	})
}

// Complete fills in the types of the profile and of all it holds.
func (p *Profile) Complete(newID func() string) {
	fillTypes(&p.Type, TypeProfile)
	replaced(&p.Image, completeImage)
	p.ProfileDetails.Complete(newID)
}

// Complete fills in the types of all that the details hold.
func (d *ProfileDetails) Complete(newID func() string) {
	each(&d.OtherIdentifier, completeIdentifierEntry)
	replaced(&d.ParentOrg, func(p *Profile) { p.Complete(newID) })
	replaced(&d.Address, func(a *Address) {
		fillTypes(&a.Type, TypeAddress)
		replaced(&a.Geo, func(g *GeoCoordinates) { fill(&g.Type, TypeGeoCoordinates) })
	})
}
