package openbadges

import "encoding/json"

// Achievement is what can be earned. OB 3.0, Achievement.
type Achievement struct {
	ID      string   `json:"id" doc:"Absolute URI that names the achievement."`
	Type    []string `json:"type,omitempty" doc:"Holds Achievement."`
	Creator *Profile `json:"creator,omitempty" doc:"Who created the achievement."`
	Image   *Image   `json:"image,omitempty" doc:"Picture of the achievement."`
	AchievementDetails
}

// AchievementDetails is the part of an [Achievement] that its author writes.
type AchievementDetails struct {
	Name              string              `json:"name" doc:"Name of the achievement."`
	Description       string              `json:"description" doc:"Short description of the achievement."`
	Criteria          Criteria            `json:"criteria" doc:"How the achievement is earned."`
	AchievementType   string              `json:"achievementType,omitempty" doc:"Kind of achievement, such as Badge or Course, or a value that begins with ext:."`
	Alignment         []Alignment         `json:"alignment,omitempty" doc:"Frameworks and competencies the achievement aligns with."`
	CreditsAvailable  *float64            `json:"creditsAvailable,omitempty" doc:"How many credits can be earned."`
	Endorsement       []json.RawMessage   `json:"endorsement,omitempty" doc:"Endorsement credentials with an embedded proof, kept byte for byte."`
	EndorsementJwt    []string            `json:"endorsementJwt,omitempty" doc:"Endorsement credentials as compact JWS."`
	FieldOfStudy      string              `json:"fieldOfStudy,omitempty" doc:"Field of study."`
	HumanCode         string              `json:"humanCode,omitempty" doc:"Code people know it by, such as a course number."`
	InLanguage        string              `json:"inLanguage,omitempty" doc:"Language of the achievement, such as en or pt-BR."`
	OtherIdentifier   []IdentifierEntry   `json:"otherIdentifier,omitempty" doc:"Other names of the achievement in other systems."`
	Related           []Related           `json:"related,omitempty" doc:"Related achievements, such as other versions or languages."`
	ResultDescription []ResultDescription `json:"resultDescription,omitempty" doc:"Results that can be reached."`
	Specialization    string              `json:"specialization,omitempty" doc:"Specialization within the field of study."`
	Tag               []string            `json:"tag,omitempty" doc:"Keywords that help to find the achievement."`
	Version           string              `json:"version,omitempty" doc:"Version of the achievement."`
}

// Criteria says how an achievement is earned; id or narrative is needed. OB
// 3.0, Criteria.
type Criteria struct {
	ID        string `json:"id,omitempty" doc:"URI of a page that gives the criteria."`
	Narrative string `json:"narrative,omitempty" doc:"The criteria told in Markdown."`
}

// Alignment points at an entry of a framework. OB 3.0, Alignment.
type Alignment struct {
	Type              []string `json:"type,omitempty" doc:"Holds Alignment."`
	TargetName        string   `json:"targetName" doc:"Name of the entry."`
	TargetURL         string   `json:"targetUrl" doc:"URL of the entry."`
	TargetCode        string   `json:"targetCode,omitempty" doc:"Short code of the entry in its framework."`
	TargetDescription string   `json:"targetDescription,omitempty" doc:"Short description of the entry."`
	TargetFramework   string   `json:"targetFramework,omitempty" doc:"Name of the framework."`
	TargetType        string   `json:"targetType,omitempty" doc:"Kind of entry, such as CFItem or CTDL, or a value that begins with ext:."`
}

// Related points at a related achievement. OB 3.0, Related.
type Related struct {
	ID         string   `json:"id" doc:"URI of the related achievement."`
	Type       []string `json:"type,omitempty" doc:"Holds Related."`
	InLanguage string   `json:"inLanguage,omitempty" doc:"Language of the related achievement."`
	Version    string   `json:"version,omitempty" doc:"Version of the related achievement."`
}

// ResultDescription describes a result that can be reached. OB 3.0,
// ResultDescription.
type ResultDescription struct {
	ID                   string                 `json:"id,omitempty" doc:"URI by which results name this description; one is made when it is absent."`
	Type                 []string               `json:"type,omitempty" doc:"Holds ResultDescription."`
	Name                 string                 `json:"name" doc:"Name of the result."`
	ResultType           string                 `json:"resultType" doc:"Kind of result, such as LetterGrade or Status, or a value that begins with ext:."`
	Alignment            []Alignment            `json:"alignment,omitempty" doc:"Frameworks the result aligns with."`
	AllowedValue         []string               `json:"allowedValue,omitempty" doc:"Allowed values, ordered from low to high."`
	RequiredLevel        string                 `json:"requiredLevel,omitempty" doc:"Id of the rubric criterion level needed to pass."`
	RequiredValue        string                 `json:"requiredValue,omitempty" doc:"Value needed to pass."`
	RubricCriterionLevel []RubricCriterionLevel `json:"rubricCriterionLevel,omitempty" doc:"Levels of the rubric, ordered from low to high."`
	ValueMax             string                 `json:"valueMax,omitempty" doc:"Highest possible value."`
	ValueMin             string                 `json:"valueMin,omitempty" doc:"Lowest possible value."`
}

// RubricCriterionLevel is one level of a rubric. OB 3.0, RubricCriterionLevel.
type RubricCriterionLevel struct {
	ID          string      `json:"id,omitempty" doc:"URI by which results name this level; one is made when it is absent."`
	Type        []string    `json:"type,omitempty" doc:"Holds RubricCriterionLevel."`
	Name        string      `json:"name" doc:"Name of the level."`
	Alignment   []Alignment `json:"alignment,omitempty" doc:"Frameworks the level aligns with."`
	Description string      `json:"description,omitempty" doc:"Description of the level."`
	Level       string      `json:"level,omitempty" doc:"The level in words or figures."`
	Points      string      `json:"points,omitempty" doc:"Points that the level is worth."`
}

// Image is a picture. OB 3.0, Image.
type Image struct {
	ID      string `json:"id" doc:"URL of the picture, http or https or data:."`
	Type    string `json:"type,omitempty" doc:"The string Image."`
	Caption string `json:"caption,omitempty" doc:"The picture in words."`
}
