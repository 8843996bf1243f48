package audit

import "sync"

// sources is how many callers a tally tells apart between two writings. One
// that is refused fills one row a minute for each reason, and all others together
// one for each action and reason, however many they are.
const sources = 256

// tally counts what was refused or failed. Its size is bounded, and so is what it
// writes.
type tally struct {
	mu      sync.Mutex
	counted map[tallyKey]Event
	order   []tallyKey // as they came first
}

// tallyKey is what events that are counted as one have in common; target and
// request are those of the first.
type tallyKey struct{ source, principal, action, reason string }

func newTally() *tally { return &tally{counted: map[tallyKey]Event{}} }

func (t *tally) add(events ...Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		e.RemoteIP = source(e.RemoteIP)
		key := tallyKey{e.RemoteIP, e.Principal, e.Action, e.Reason}
		if _, known := t.counted[key]; !known && len(t.counted) >= sources {
			key = tallyKey{action: e.Action, reason: e.Reason}
			e.RemoteIP, e.Principal, e.Kind, e.Target, e.RequestID = "", "", several, "", ""
		}
		if before, known := t.counted[key]; known {
			before.Count += e.Count
			e = before
		} else {
			t.order = append(t.order, key)
		}
		t.counted[key] = e
	}
}

// take answers what was counted, in the order in which it came first, and begins anew.
func (t *tally) take() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	counted := make([]Event, len(t.order))
	for i, key := range t.order {
		counted[i] = t.counted[key]
	}
	t.counted, t.order = map[tallyKey]Event{}, nil
	return counted
}
