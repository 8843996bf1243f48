package issuance

import "time"

type keyRow struct {
	ID        string `gorm:"primaryKey"`
	IssuerID  string
	Algorithm string
	Multikey  string // "z" and a Multikey, or "u" and the DER of an RSA key
	Sealed    []byte
	Purposes  string // with spaces between
	Provider  string
	CreatedAt time.Time
	RetiredAt *time.Time
	RevokedAt *time.Time
	Reason    *string
}

// TableName implements the naming of gorm.
func (keyRow) TableName() string { return "issuance_keys" }

type formRow struct {
	IssuerID string `gorm:"primaryKey"`
	Form     string
}

// TableName implements the naming of gorm.
func (formRow) TableName() string { return "issuance_forms" }

type credentialRow struct {
	ID             string `gorm:"primaryKey"`
	IssuerID       string
	AchievementID  string
	State          string
	Name           string
	RecipientIndex *string
	Document       *string // what the world reads
	HolderDocument *string // with a base proof, from which the holder derives; else NULL
	Token          *string // the credential as a compact JWS
	KeyIDs         *string `gorm:"column:key_ids"` // that signed it, with spaces between
	Form           *string // how its order asked for it to be secured, as JSON
	ValidFrom      time.Time
	ValidUntil     *time.Time
	Version        int64
	Owner          *string // of the idempotency key
	IdempotencyKey *string
	RequestHash    *string
	StatusList     *string // where its entry in a status list is
	StatusIndex    *int64
	StatusPurpose  *string // the side of the list that the document names
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// TableName implements the naming of gorm. Operators query this table by name.
func (credentialRow) TableName() string { return "achievement_credentials" }
