package scimprobe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Options are what a probe needs to know.
type Options struct {
	Address string // as it stands in the field Tenant URL of Entra
	Token   string // as it stands in the field Secret Token
	Write   bool   // also create, change and delete a user and a group of its own

	Roots *x509.CertPool // whom certificates are believed; the system's when nil
	// Lookups is how many look-ups are sent at 25 a second; none when 0.
	Lookups int
	Slow    time.Duration    // an answer that takes longer is a warning; a second when 0
	TooSlow time.Duration    // and longer than this a failure; ten seconds when 0
	Now     func() time.Time // the clock of the machine when nil
}

// Rate is how many requests a second Entra may send for one job.
const Rate = 25

// Outcome says how a check ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Warning Outcome = "warning" // Entra gets by, or it cannot be told from here
	Failed  Outcome = "failed"  // Entra stumbles over it
	Skipped Outcome = "skipped"
)

// Result is what one check found.
type Result struct {
	Check    string    `json:"check"`
	Outcome  Outcome   `json:"outcome"`
	Detail   string    `json:"detail"` // what was looked at, or why it was skipped
	Problems []Problem `json:"problems,omitempty"`
}

// Report is what a probe found.
type Report struct {
	Address string        `json:"address"`
	Ready   bool          `json:"ready"` // no check failed
	Failed  int           `json:"failed"`
	Slowest time.Duration `json:"slowestNanoseconds"`
	Results []Result      `json:"results"`
}

// More that can be wrong, beyond the form of an answer.
const (
	Address       Kind = "address"
	NoAnswer      Kind = "no-answer"
	Certificate   Kind = "certificate"
	Protocol      Kind = "tls"
	WrongStatus   Kind = "status"
	FilterIgnored Kind = "filter-ignored" // a look-up of nobody finds somebody
	OpenDoor      Kind = "open"           // answers without a token
	TokenRefused  Kind = "token"
	Blocked       Kind = "blocked" // something between drops a method or a character
	Discovery     Kind = "discovery"
	Paging        Kind = "paging"
	Location      Kind = "location"
	Slow          Kind = "slow"
	Throttled     Kind = "throttled"
	Behaviour     Kind = "behaviour" // what was stored is not what was sent
	LeftBehind    Kind = "left-behind"
)

// check is one row of the table of checks.
type check struct {
	name  string
	looks string // at what
	alone bool   // the rest makes no sense without it
	// unless says why these options leave it out.
	unless func(o Options) string
	run    func(ctx context.Context, v *visit)
}

// visit is a probe under way: the check that runs and what it has found so far.
type visit struct {
	o        Options
	c        *Client
	slowest  Answer
	problems []Problem
	mild     []Problem
	stop     bool // nothing more may be asked
}

// fail and warn note what was found, each kind of it once for a check.
func (v *visit) fail(kind Kind, remedy, format string, args ...any) {
	v.problems = note(v.problems, Problem{kind, fmt.Sprintf(format, args...), remedy})
}

func (v *visit) warn(kind Kind, remedy, format string, args ...any) {
	v.mild = note(v.mild, Problem{kind, fmt.Sprintf(format, args...), remedy})
}

func note(list []Problem, p Problem) []Problem {
	if slices.ContainsFunc(list, func(q Problem) bool { return q.Kind == p.Kind && q.Remedy == p.Remedy }) {
		return list
	}
	return append(list, p)
}

// ask sends a request and judges the form of the answer. It reports whether there was
// one that can be read.
func (v *visit) ask(ctx context.Context, method, target string, body any, headers ...string) (Answer, bool) {
	a, err := v.c.Send(ctx, method, target, body, headers...)
	if err != nil {
		v.fail(NoAnswer, "See that the name resolves, the port is open to the world, and nothing on the way cuts the connection.", "%s %s: %v", method, target, short(err))
		return a, false
	}
	if a.Took > v.slowest.Took {
		v.slowest = a
	}
	faults := Faults(a)
	for _, p := range faults {
		v.fail(p.Kind, p.Remedy, "%s %s: %s", method, clip(target, 80), p.Detail)
	}
	return a, !slices.ContainsFunc(faults, func(p Problem) bool { return p.Kind == Redirected || p.Kind == NotJSON })
}

// short is an error without the address, which is known.
func short(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// expect is ask for an answer of one status.
func (v *visit) expect(ctx context.Context, status int, remedy, method, target string, body any, headers ...string) (Answer, bool) {
	a, ok := v.ask(ctx, method, target, body, headers...)
	if ok && a.Status != status {
		v.fail(WrongStatus, remedy, "%s, and not %d", a, status)
		ok = false
	}
	return a, ok
}

// Probe asks a server what Entra would ask it. It answers an error only when the
// options make no sense; what is wrong with the server stands in the report.
func Probe(ctx context.Context, o Options) (Report, error) {
	if o.Slow == 0 {
		o.Slow = time.Second
	}
	if o.TooSlow == 0 {
		o.TooSlow = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Token == "" {
		return Report{}, errors.New("give the secret token that Entra is to send")
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Report{}, errors.New("the token holds a space or a sign that no header can carry: copy it again")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	transport.ForceAttemptHTTP2 = false // Entra speaks HTTP/1.1
	transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	transport.Proxy = nil // what the world sees is asked, not what a proxy of this network makes of it
	defer transport.CloseIdleConnections()
	c, err := NewClient(o.Address, o.Token, transport)
	if err != nil {
		return Report{}, err
	}
	c.HTTP.Timeout = 30 * time.Second

	v := &visit{o: o, c: c}
	report := Report{Address: c.Base.String(), Ready: true}
	for _, check := range checks {
		result := Result{Check: check.name, Outcome: Passed, Detail: check.looks}
		switch {
		case ctx.Err() != nil:
			return report, ctx.Err()
		case v.stop:
			result.Outcome, result.Detail = Skipped, "not asked, because of what failed before"
		case check.unless != nil && check.unless(o) != "":
			result.Outcome, result.Detail = Skipped, check.unless(o)
		default:
			v.problems, v.mild = nil, nil
			check.run(ctx, v)
			result.Problems = append(v.problems, v.mild...)
			switch {
			case len(v.problems) > 0:
				result.Outcome, report.Ready = Failed, false
				report.Failed++
				v.stop = v.stop || check.alone
			case len(v.mild) > 0:
				result.Outcome = Warning
			}
		}
		report.Results = append(report.Results, result)
	}
	report.Slowest = v.slowest.Took
	return report, nil
}

// private reports whether an address cannot be reached from the internet.
func private(ip net.IP) bool {
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
}
