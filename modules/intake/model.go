package intake

import "time"

type classRow struct {
	SourceKey     string `gorm:"primaryKey"`
	IssuerID      string
	SourceID      string
	AchievementID string
	CreatedAt     time.Time
}

// TableName implements the naming of gorm.
func (classRow) TableName() string { return "intake_classes" }

type badgeRow struct {
	SourceKey    string `gorm:"primaryKey"`
	IssuerID     string
	SourceID     string
	CredentialID *string
	Principal    string
	CreatedAt    time.Time
}

// TableName implements the naming of gorm.
func (badgeRow) TableName() string { return "intake_badges" }
