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
	BatchID        *string // that it was ordered in, if any
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// batchRow is one request to issue to many.
type batchRow struct {
	ID             string `gorm:"primaryKey"`
	Owner          string
	IdempotencyKey *string
	RequestHash    *string
	DryRun         bool
	State          string
	AchievementID  *string // of orders that name none
	Format         *string // of the blocks; NULL where there are lines instead
	Total          int64
	Processed      int64 // once it is over; lines before this are dealt with
	Succeeded      int64
	Failed         int64
	Trouble        string
	LeaseUntil     time.Time // until then one process works on it
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// TableName implements the naming of gorm.
func (batchRow) TableName() string { return "issuance_batches" }

// batchBlock is some lines of a batch. Their orders are sealed until they are dealt with,
// and then forgotten.
type batchBlock struct {
	BatchID   string `gorm:"primaryKey"`
	Number    int64  `gorm:"primaryKey;autoIncrement:false"`
	FirstLine int64
	Lines     int64
	State     string
	Seed      []byte // that the ids of its credentials follow from
	Orders    []byte
	Succeeded int64
	Failed    int64
	Report    []byte // why lines failed, compressed
}

// TableName implements the naming of gorm.
func (batchBlock) TableName() string { return "issuance_batch_blocks" }

// batchLine is one recipient of a batch that was begun before there were blocks. The order is sealed until it is dealt with,
// and then forgotten.
type batchLine struct {
	BatchID      string `gorm:"primaryKey"`
	Number       int64  `gorm:"primaryKey"`
	State        string
	CredentialID string
	Sealed       []byte
	Problem      *string
}

// TableName implements the naming of gorm.
func (batchLine) TableName() string { return "issuance_batch_lines" }

type endorsementRow struct {
	ID            string `gorm:"primaryKey"`
	EndorserID    string
	SubjectKind   string
	SubjectID     string
	SubjectIssuer string
	SubjectURI    string `gorm:"column:subject_uri"`
	SubjectName   string
	State         string
	Note          string
	Document      *string
	Token         *string
	ValidFrom     *time.Time
	ValidUntil    *time.Time
	StatusList    *string
	StatusIndex   *int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// TableName implements the naming of gorm.
func (endorsementRow) TableName() string { return "issuance_endorsements" }

// TableName implements the naming of gorm. Operators query this table by name.
func (credentialRow) TableName() string { return "achievement_credentials" }
