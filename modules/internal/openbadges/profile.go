package openbadges

import "encoding/json"

// Profile describes a person or an organization: an issuer, a creator, a
// source. OB 3.0, Profile.
type Profile struct {
	ID    string   `json:"id" doc:"Absolute URI that names the profile; verifiers tie keys to it."`
	Type  []string `json:"type,omitempty" doc:"Holds Profile."`
	Image *Image   `json:"image,omitempty" doc:"Picture of the profile, such as a logo."`
	ProfileDetails
}

// ProfileDetails is the part of a [Profile] that its owner writes.
type ProfileDetails struct {
	Name             string            `json:"name,omitempty" doc:"Name of the person or organization."`
	URL              string            `json:"url,omitempty" doc:"URL of the home page; it should stay reachable as long as badges do."`
	Phone            string            `json:"phone,omitempty" doc:"Telephone number."`
	Description      string            `json:"description,omitempty" doc:"Short description."`
	Endorsement      []json.RawMessage `json:"endorsement,omitempty" doc:"Endorsement credentials with an embedded proof, kept byte for byte."`
	EndorsementJwt   []string          `json:"endorsementJwt,omitempty" doc:"Endorsement credentials as compact JWS."`
	Email            string            `json:"email,omitempty" doc:"E-mail address."`
	Address          *Address          `json:"address,omitempty" doc:"Postal address."`
	OtherIdentifier  []IdentifierEntry `json:"otherIdentifier,omitempty" doc:"Other names of the profile in other systems."`
	Official         string            `json:"official,omitempty" doc:"Name of the official who signs for an organization."`
	ParentOrg        *Profile          `json:"parentOrg,omitempty" doc:"The organization this one belongs to."`
	FamilyName       string            `json:"familyName,omitempty" doc:"Family name of a person."`
	GivenName        string            `json:"givenName,omitempty" doc:"Given name of a person."`
	AdditionalName   string            `json:"additionalName,omitempty" doc:"Further name of a person, such as a middle name."`
	PatronymicName   string            `json:"patronymicName,omitempty" doc:"Patronymic name of a person."`
	HonorificPrefix  string            `json:"honorificPrefix,omitempty" doc:"Honorific before the name, such as Dr."`
	HonorificSuffix  string            `json:"honorificSuffix,omitempty" doc:"Honorific after the name, such as M.D."`
	FamilyNamePrefix string            `json:"familyNamePrefix,omitempty" doc:"Prefix of the family name, such as von."`
	DateOfBirth      string            `json:"dateOfBirth,omitempty" doc:"Date of birth, as 2006-01-02."`
}

// IdentifierEntry is a name of something in another system. OB 3.0,
// IdentifierEntry.
type IdentifierEntry struct {
	Type           string `json:"type,omitempty" doc:"The string IdentifierEntry."`
	Identifier     string `json:"identifier" doc:"The identifier."`
	IdentifierType string `json:"identifierType" doc:"Kind of identifier, such as isbn, or a value that begins with ext:."`
}

// Address is a postal address. OB 3.0, Address.
type Address struct {
	Type                []string        `json:"type,omitempty" doc:"Holds Address."`
	AddressCountry      string          `json:"addressCountry,omitempty" doc:"Country in words."`
	AddressCountryCode  string          `json:"addressCountryCode,omitempty" doc:"Country as two letters of ISO 3166-1."`
	AddressRegion       string          `json:"addressRegion,omitempty" doc:"Region, such as a state or province."`
	AddressLocality     string          `json:"addressLocality,omitempty" doc:"Town."`
	StreetAddress       string          `json:"streetAddress,omitempty" doc:"Street and number."`
	PostOfficeBoxNumber string          `json:"postOfficeBoxNumber,omitempty" doc:"Post office box."`
	PostalCode          string          `json:"postalCode,omitempty" doc:"Postal code."`
	Geo                 *GeoCoordinates `json:"geo,omitempty" doc:"Place on the globe."`
}

// GeoCoordinates is a place on the globe. OB 3.0, GeoCoordinates.
type GeoCoordinates struct {
	Type      string  `json:"type,omitempty" doc:"The string GeoCoordinates."`
	Latitude  float64 `json:"latitude" doc:"Degrees north, from -90 to 90."`
	Longitude float64 `json:"longitude" doc:"Degrees east, from -180 to 180."`
}
