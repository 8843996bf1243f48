package audit

import "time"

// said is what an event says, the same before and after it is sealed.
type said struct {
	ID            string
	At            time.Time
	Principal     string
	PrincipalKind string
	Action        string
	Target        string
	Outcome       string
	Reason        string
	Detail        string
	RemoteIP      string
	RequestID     string
	Count         int64
}

type pendingRow struct {
	Said said `gorm:"embedded"`
	Mark []byte
}

// TableName implements the naming of gorm.
func (pendingRow) TableName() string { return "audit_pending" }

type parcelRow struct {
	ID     string
	Count  int64
	Events []byte
	Mark   []byte
}

// TableName implements the naming of gorm.
func (parcelRow) TableName() string { return "audit_parcels" }

type eventRow struct {
	Sequence int64 `gorm:"primaryKey;autoIncrement:false"`
	Said     said  `gorm:"embedded"`
	Forged   bool
	Hash     []byte
}

// TableName implements the naming of gorm.
func (eventRow) TableName() string { return "audit_events" }

type headRow struct {
	ID        int16 `gorm:"primaryKey;autoIncrement:false"`
	Sequence  int64
	Hash      []byte
	Signature []byte
}

// TableName implements the naming of gorm.
func (headRow) TableName() string { return "audit_head" }

func (s said) event() Event {
	return Event{
		ID: s.ID, At: s.At.UTC(), Principal: s.Principal, Kind: s.PrincipalKind, Action: s.Action, Target: s.Target, Outcome: Outcome(s.Outcome),
		Reason: s.Reason, Detail: s.Detail, RemoteIP: s.RemoteIP, RequestID: s.RequestID, Count: s.Count,
	}
}

func (r pendingRow) event() Event {
	e := r.Said.event()
	e.mark = r.Mark
	return e
}

func (r eventRow) event() Event {
	e := r.Said.event()
	e.Sequence, e.Forged, e.Hash = r.Sequence, r.Forged, r.Hash
	return e
}
