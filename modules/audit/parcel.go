package audit

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Parcel is the events of one unit of work, as one row that waits: whoever issues many
// things at a time waits for one small row, and each event is written out once, at its
// place.
type Parcel struct {
	ID     string
	Events []byte // as pack writes them
	Count  int64

	mark []byte
}

// parcelV1 begins what is packed, so that another form can follow.
const parcelV1 = 1

// errParcel says that no program of ours packed this.
var errParcel = errors.New("audit: a parcel cannot be unpacked")

// texts are what an event says in words.
func (e *Event) texts() [9]*string {
	return [...]*string{&e.Principal, &e.Kind, &e.Action, &e.Target, (*string)(&e.Outcome), &e.Reason, &e.Detail, &e.RemoteIP, &e.RequestID}
}

// pack writes events, whose identifiers are UUIDs. A text that is the same as that of the
// event before takes one byte, and most are.
func pack(events []Event) ([]byte, error) {
	b := binary.AppendUvarint([]byte{parcelV1}, uint64(len(events)))
	var before Event
	for i := range events {
		e := &events[i]
		id, err := uuid.Parse(e.ID)
		if err != nil {
			return nil, err
		}
		b = append(b, id[:]...)
		b = binary.AppendVarint(b, e.At.Unix()-before.At.Unix())
		b = binary.AppendUvarint(b, uint64(e.Count))
		same := before.texts()
		for n, text := range e.texts() {
			if *text == *same[n] {
				b = binary.AppendUvarint(b, 0)
				continue
			}
			b = binary.AppendUvarint(b, uint64(len(*text))+1)
			b = append(b, *text...)
		}
		before = *e
	}
	return b, nil
}

// unpacked reads what pack wrote, or answers errParcel.
func unpacked(b []byte) ([]Event, error) {
	if len(b) == 0 || b[0] != parcelV1 {
		return nil, errParcel
	}
	b, failed := b[1:], false
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			failed = true
			return 0
		}
		b = b[n:]
		return v
	}
	bytes := func(n uint64) []byte {
		if n > uint64(len(b)) {
			failed = true
			return nil
		}
		head := b[:n]
		b = b[n:]
		return head
	}
	var events []Event
	var before Event
	for range number() {
		e := before
		if id := bytes(16); !failed {
			e.ID = uuid.UUID(id).String()
		}
		elapsed, n := binary.Varint(b)
		if failed || n <= 0 {
			return nil, errParcel
		}
		b = b[n:]
		e.At, e.Count = time.Unix(before.At.Unix()+elapsed, 0).UTC(), int64(number())
		for _, text := range e.texts() {
			if n := number(); n > 0 {
				*text = string(bytes(n - 1))
			}
		}
		if failed {
			return nil, errParcel
		}
		events, before = append(events, e), e
	}
	if failed || len(b) > 0 {
		return nil, errParcel
	}
	return events, nil
}

// parcel packs events and gives them their mark.
func (k Key) parcel(id string, events []Event) (Parcel, error) {
	packed, err := pack(events)
	p := Parcel{ID: id, Events: packed, Count: int64(len(events))}
	p.mark = k.parcelMark(p)
	return p, err
}

// parcelMark tells a parcel of ours from one that somebody else put into the database.
func (k Key) parcelMark(p Parcel) []byte {
	b := text(text(nil, parcelMarkV1), p.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Count))
	return k.mac(text(b, string(p.Events)))
}

// open answers the events of a parcel. Of one that is not ours it is a single event that
// is forged: what strangers packed says nothing of anything.
func (k Key) open(p Parcel, now time.Time) []Event {
	if hmac.Equal(p.mark, k.parcelMark(p)) {
		if events, err := unpacked(p.Events); err == nil && int64(len(events)) == p.Count && len(events) > 0 {
			return events
		}
	}
	return []Event{{ID: p.ID, At: now, Kind: system, Action: "audit.parcel.opened", Outcome: Failed, Reason: "audit.parcel", Count: 1, Forged: true}}
}
