package vcapi

import "time"

type credentialRow struct {
	ID           string `gorm:"primaryKey"`
	IssuerID     string
	CredentialID *string
	Cryptosuite  string
	Digest       string
	StatusList   *string
	StatusIndex  *int64
	Purposes     string `gorm:"column:status_purposes"`
	Principal    string
	CreatedAt    time.Time
}

// TableName implements the naming of gorm.
func (credentialRow) TableName() string { return "vcapi_credentials" }
