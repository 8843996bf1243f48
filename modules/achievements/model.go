package achievements

import "time"

type issuerRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	Profile   string
	ImageID   *string
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TableName implements the naming of gorm.
func (issuerRow) TableName() string { return "achievements_issuers" }

type achievementRow struct {
	ID              string `gorm:"primaryKey"`
	CreatorID       string
	Name            string
	AchievementType string
	Details         string
	ImageID         *string
	Version         int64
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// TableName implements the naming of gorm. Operators query this table by name.
func (achievementRow) TableName() string { return "achievements" }

type imageRow struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TableName implements the naming of gorm.
func (imageRow) TableName() string { return "achievements_images" }

type renditionRow struct {
	ImageID   string `gorm:"primaryKey"`
	Format    string `gorm:"primaryKey"`
	MediaType string
	Width     int64
	Height    int64
	Size      int64
	SHA256    string `gorm:"column:sha256"`
	Content   []byte
}

// TableName implements the naming of gorm.
func (renditionRow) TableName() string { return "achievements_renditions" }
