package credential

import (
	"context"
	"crypto/sha256"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
)

const (
	// listMemory bounds what is remembered of lists, in bytes.
	listMemory = 32 << 20
	// listTrust is how long a check is trusted, within which a key may be revoked.
	listTrust = 5 * time.Minute
	whatever  = time.Duration(math.MaxInt64)
)

// Lists remembers status lists that were checked, unpacked, so that the next badge on one
// needs no look into its proof. What is remembered is that these very bytes were good for
// this issuer; whether they are still what the address answers is asked each time. It is
// safe for concurrent use.
type Lists struct {
	mu         sync.Mutex
	young, old map[listKey]*checkedList // what was asked for lately, and before that
	weight     int                      // of the young
}

type listKey struct {
	url, issuer string
	digest      [sha256.Size]byte
}

// checkedList is a list whose proof, key, issuer and dates are good.
type checkedList struct {
	status.Unpacked
	from, until time.Time // zero: not said
	checked     time.Time
}

// good reports whether what was found out then still holds.
func (l *checkedList) good(now time.Time) bool {
	age := now.Sub(l.checked)
	return age >= 0 && age < listTrust && !now.Before(l.from) && (l.until.IsZero() || !now.After(l.until))
}

func (s *Lists) find(key listKey, now time.Time) (*checkedList, bool) {
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.young[key]
	if l == nil {
		if l = s.old[key]; l == nil {
			return nil, false
		}
		delete(s.old, key)
		s.add(key, l)
	}
	return l, l.good(now)
}

func (s *Lists) put(key listKey, l *checkedList) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(key, l)
}

func (s *Lists) add(key listKey, l *checkedList) {
	weight := func(l *checkedList) int { return l.Weight() + len(key.url) + len(key.issuer) + 512 }
	if before := s.young[key]; before != nil {
		s.weight -= weight(before)
	}
	if s.weight+weight(l) > listMemory/2 {
		s.old, s.young, s.weight = s.young, nil, 0
	}
	if s.young == nil {
		s.young = map[listKey]*checkedList{}
	}
	s.young[key] = l
	s.weight += weight(l)
}

// statusList fetches a list and checks it, and reads it anew where what is kept on the
// way is older than the list allows, or has become invalid there.
//
// Bitstring Status List 1.0, 2.2 (BitstringStatusListCredential), ttl; 3.2 (Validate
// Algorithm).
func (r run) statusList(ctx context.Context, url, issuer string) (status.Unpacked, error) {
	data, age, err := r.within(ctx, url, whatever)
	if err != nil {
		return status.Unpacked{}, err
	}
	list, ended, err := r.checked(ctx, url, issuer, data)
	if age > 0 && (ended || err == nil && age > list.TTL) {
		if data, age, err = r.within(ctx, url, list.TTL); err != nil {
			return status.Unpacked{}, err
		}
		list, _, err = r.checked(ctx, url, issuer, data)
	}
	if err == nil && age > list.TTL { // whoever keeps it on the way gives nothing newer
		return status.Unpacked{}, &status.Error{Code: status.RetrievalError, Problem: "only an old status list could be fetched, so it is not known whether it was revoked", Remedy: "Try again later."}
	}
	return list, err
}

// within fetches a document that is no older than atMost.
func (r run) within(ctx context.Context, url string, atMost time.Duration) ([]byte, time.Duration, error) {
	if r.Within == nil || url == "" {
		data, err := r.get(ctx, url)
		return data, 0, err
	}
	data, age, err := r.Within(ctx, url, atMost)
	if err != nil {
		return nil, 0, errNoList
	}
	return data, age, nil
}

// checked checks the bytes of a list: its own proof, key and dates. It must be the
// list that was asked for, and by the issuer of the credential, under whichever of the
// names of one address: the standard lets another issue it, but nothing in the credential
// says who that would be, and whoever had the host of the list could bring back what was
// revoked.
//
// It reports whether a list that is refused was good once, or will be.
//
// Bitstring Status List 1.0, 3.2 (Validate Algorithm).
func (r run) checked(ctx context.Context, url, issuer string, data []byte) (list status.Unpacked, ended bool, err error) {
	key := listKey{url, issuer, sha256.Sum256(data)}
	known, good := r.Lists.find(key, r.now)
	if good {
		return known.Unpacked, false, nil
	}
	refuse := func(why string) (status.Unpacked, bool, error) {
		return status.Unpacked{}, false, &status.Error{Code: status.VerificationError, Problem: "the status list cannot be trusted: " + why, Remedy: "Ask the issuer to publish a signed list."}
	}
	p, err := Parse(data)
	if err != nil {
		return refuse("it is no credential")
	}
	if !isOf(p.tree, "BitstringStatusListCredential") {
		return refuse("it is no BitstringStatusListCredential")
	}
	j := r.envelope(ctx, p, nil)
	if !j.Good() {
		return refuse(strings.TrimSuffix(j.Problems[0].Detail, "."))
	}
	if r.dates(j, p); !j.Good() {
		_, _, err := refuse(strings.TrimSuffix(j.Problems[0].Detail, "."))
		return status.Unpacked{}, true, err
	}
	if by := party(p.tree.Get("issuer")).ID; !did.Same(by, issuer) {
		return refuse("it was issued by " + strconv.Quote(by) + ", who is not the issuer of the credential")
	}
	if id := p.tree.Member("id"); id != "" && id != url {
		return refuse("it is another list, " + strconv.Quote(id))
	}
	subject := object(p.tree, "credentialSubject")
	if !isOf(subject, "BitstringStatusList") {
		return refuse("its subject is no BitstringStatusList")
	}
	found := &checkedList{Unpacked: status.Unpack(subject.Map()), checked: r.now}
	found.from, found.until, _ = validity(p)
	r.Lists.put(key, found)
	return found.Unpacked, false, nil
}
