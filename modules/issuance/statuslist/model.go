package statuslist

import "time"

type listRow struct {
	ID        string `gorm:"primaryKey"`
	IssuerID  string
	Number    int64
	Size      int64
	Taken     int64
	Seed      []byte
	CreatedAt time.Time
}

// TableName implements the naming of gorm.
func (listRow) TableName() string { return "issuance_status_lists" }

// operationRow is one call that changed the status of credentials.
type operationRow struct {
	ID          string `gorm:"primaryKey"`
	Act         string
	Purpose     string
	Reason      string
	Principal   string
	Credentials int64
	Query       string // what it was asked for, as JSON; empty for a single credential
	BeginsAt    time.Time
	EndsAt      time.Time
}

// TableName implements the naming of gorm.
func (operationRow) TableName() string { return "issuance_status_operations" }

type markRow struct {
	ListID       string    `gorm:"primaryKey"`
	ListIndex    int64     `gorm:"primaryKey"`
	Purpose      string    `gorm:"primaryKey"`
	EndsAt       time.Time `gorm:"primaryKey"`
	BeginsAt     time.Time
	CredentialID string
	OperationID  string
	EndedBy      *string // the operation that ended it
}

// TableName implements the naming of gorm.
func (markRow) TableName() string { return "issuance_status_marks" }

// segmentRow counts the changes of a part of one side of a list. Packed is what it
// was after the first PackedChanges of them.
type segmentRow struct {
	ListID        string `gorm:"primaryKey"`
	Purpose       string `gorm:"primaryKey"`
	Number        int64  `gorm:"primaryKey"`
	Changes       int64
	PackedChanges int64
	Packed        []byte
	CRC           int64 `gorm:"column:crc"`
}

// TableName implements the naming of gorm.
func (segmentRow) TableName() string { return "issuance_status_segments" }

type signedRow struct {
	ListID     string `gorm:"primaryKey"`
	Purpose    string `gorm:"primaryKey"`
	Changes    int64
	Method     string
	Document   string
	ValidFrom  time.Time
	ValidUntil time.Time
}

// TableName implements the naming of gorm.
func (signedRow) TableName() string { return "issuance_status_signed" }
