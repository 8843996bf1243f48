package scim

import "time"

type userRow struct {
	ID             string `gorm:"primaryKey"`
	UserName       string
	UserNameFold   string
	ExternalID     *string
	ExternalIDFold *string
	Email          *string
	Name           string
	IsActive       bool
	IsLinked       bool
	Doc            string
	Search         string
	Version        int64
	CreatedUS      int64 `gorm:"column:created_us"`
	ModifiedUS     int64 `gorm:"column:modified_us"`
}

// TableName implements the naming of gorm. Operators query this table by name.
func (userRow) TableName() string { return "users" }

type valueRow struct {
	Attribute string `gorm:"primaryKey"`
	ValueFold string `gorm:"primaryKey"`
	UserID    string `gorm:"primaryKey"`
}

// TableName implements the naming of gorm.
func (valueRow) TableName() string { return "scim_user_values" }

type groupRow struct {
	ID              string `gorm:"primaryKey"`
	DisplayName     string
	DisplayNameFold string
	NameKey         *string
	ExternalID      *string
	ExternalIDFold  *string
	MemberCount     int64
	IsLinked        bool
	Doc             string
	Search          string
	Version         int64
	CreatedUS       int64 `gorm:"column:created_us"`
	ModifiedUS      int64 `gorm:"column:modified_us"`
}

// TableName implements the naming of gorm. Operators query this table by name.
func (groupRow) TableName() string { return "groups" }

type memberRow struct {
	GroupID    string `gorm:"primaryKey"`
	MemberID   string `gorm:"primaryKey"`
	MemberType string
	Said       Said
}

// TableName implements the naming of gorm.
func (memberRow) TableName() string { return "scim_group_members" }

type stageRow struct {
	StageID    string `gorm:"primaryKey"`
	MemberID   string `gorm:"primaryKey"`
	MemberType string
	Said       Said
}

// TableName implements the naming of gorm.
func (stageRow) TableName() string { return "scim_member_stage" }

// resourceRow is what a list reads of either table. Kind, Counted and SortKey are
// there only where they were asked for.
type resourceRow struct {
	Kind        string
	ID          string
	Doc         string
	Version     int64
	CreatedUS   int64 `gorm:"column:created_us"`
	ModifiedUS  int64 `gorm:"column:modified_us"`
	MemberCount int64
	SortKey     *string
}

type contactRow struct {
	Principal string `gorm:"primaryKey"`
	FirstAt   time.Time
	LastAt    time.Time
	Requests  int64
	Failures  int64
}

// TableName implements the naming of gorm.
func (contactRow) TableName() string { return "scim_contacts" }

type failureRow struct {
	ID        string `gorm:"primaryKey"`
	At        time.Time
	Principal string
	RequestID string
	Method    string
	Route     string
	Status    int
	ScimType  string
	Code      string
	Detail    string
	Request   string
	Count     int64
}

// TableName implements the naming of gorm.
func (failureRow) TableName() string { return "scim_failures" }
