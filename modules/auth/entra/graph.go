package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	graphTimeout  = 5 * time.Second  // of one request
	graphPatience = 10 * time.Second // that all waiting between requests of one question may take
	graphDeadline = 25 * time.Second // of one question
	graphAttempts = 4
	graphBackoff  = 250 * time.Millisecond // before the second attempt, then doubled
	graphBatch    = 20                     // ids that checkMemberGroups takes
	maxThrottle   = 5 * time.Minute        // that a Retry-After is believed
	tokenMargin   = 5 * time.Minute        // by which a token is renewed before it expires
)

// GraphError is an error that Graph names. Its members are safe to show.
type GraphError struct {
	Status int
	Code   string // such as Authorization_RequestDenied
	Hint   string
}

// Error implements error.
func (e *GraphError) Error() string {
	return fmt.Sprintf("entra: Graph answered %d %s: %s", e.Status, e.Code, e.Hint)
}

// Graph asks Microsoft Graph, as the application itself. It calls addresses below
// the configured one and no others.
type Graph struct {
	cfg    Config
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	turn chan struct{} // holds one word while somebody fetches a token

	mu        sync.Mutex
	token     string
	renew     time.Time
	throttled time.Time // until when Graph wants to be left alone
}

// NewGraph makes a Graph. The client may be nil; its redirects are never followed.
func NewGraph(cfg Config, client *http.Client, now func() time.Time, log *slog.Logger) *Graph {
	return &Graph{cfg: cfg, client: bounded(client, graphTimeout), now: now, log: log, turn: make(chan struct{}, 1)}
}

// MemberOf answers those of the groups to which the user belongs, directly or
// through other groups. Asking for no group costs nothing. It answers an
// [*AuthorityError], a [*GraphError] or [ErrUnavailable], and then no group at
// all: whoever asks must take an error for "none".
func (g *Graph) MemberOf(ctx context.Context, objectID string, groupIDs []string) ([]string, error) {
	if len(groupIDs) == 0 {
		return nil, nil
	}
	if !guid.MatchString(objectID) {
		return nil, errors.New("entra: the object id is no GUID")
	}
	wanted := make([]string, 0, len(groupIDs))
	for _, id := range groupIDs {
		if !guid.MatchString(id) {
			return nil, fmt.Errorf("entra: group id %s is no GUID", quoted(id))
		}
		wanted = append(wanted, strings.ToLower(id))
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	ctx, cancel := context.WithTimeout(ctx, graphDeadline)
	defer cancel()
	q := question{patience: graphPatience}
	var found []string
	for batch := range slices.Chunk(wanted, graphBatch) {
		some, err := g.checkMemberGroups(ctx, &q, strings.ToLower(objectID), batch)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// question is what all requests of one question share.
type question struct {
	patience time.Duration // what is left of it
	renewed  bool          // whether a refused token was replaced
}

// answer is one response of Graph, read.
type answer struct {
	status     int
	body       []byte
	retryAfter string
}

// checkMemberGroups is Graph's operation of that name. It is transitive, answers
// at once and has no pages, so no link of an answer needs to be followed.
func (g *Graph) checkMemberGroups(ctx context.Context, q *question, objectID string, ids []string) ([]string, error) {
	data, err := json.Marshal(map[string][]string{"groupIds": ids})
	if err != nil {
		return nil, err
	}
	a, err := g.ask(ctx, q, http.MethodPost, base(g.cfg.GraphURL)+"/v1.0/users/"+objectID+"/checkMemberGroups", data)
	if err != nil {
		return nil, err
	}
	var list struct {
		Value *[]string `json:"value"`
	}
	if json.Unmarshal(a.body, &list) != nil || list.Value == nil {
		return nil, unavailable("Graph", errors.New("its answer is no list of groups"))
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		return !slices.ContainsFunc(*list.Value, func(got string) bool { return strings.EqualFold(id, got) })
	}), nil
}

// ask sends until there is an answer or patience ends.
func (g *Graph) ask(ctx context.Context, q *question, method, address string, data []byte) (answer, error) {
	for attempt := 1; ; attempt++ {
		if wait := g.throttle(); attempt == 1 && wait > 0 { // later ones have waited
			if wait > q.patience {
				return answer{}, unavailable("Graph", fmt.Errorf("it wants to be left alone for %v", wait.Round(time.Second)))
			}
			if err := q.sleep(ctx, wait); err != nil {
				return answer{}, err
			}
		}
		token, err := g.bearer(ctx)
		if err != nil {
			return answer{}, err
		}
		a, err := g.send(ctx, method, address, token, data)
		wait := graphBackoff<<(attempt-1) + rand.N(graphBackoff)
		switch {
		case err != nil:
			err = unavailable("Graph", err)
		case a.status == http.StatusOK:
			return a, nil
		case a.status == http.StatusUnauthorized && !q.renewed:
			q.renewed = true
			g.forget(token)
			continue
		case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
			err, wait = unavailable("Graph", fmt.Errorf("status %d", a.status)), g.holdOff(a.retryAfter, wait)
		case a.status >= http.StatusInternalServerError:
			err = unavailable("Graph", fmt.Errorf("status %d", a.status))
		default:
			return answer{}, a.fault()
		}
		if ctx.Err() != nil || attempt == graphAttempts || wait > q.patience {
			return answer{}, err
		}
		g.log.DebugContext(ctx, "graph is asked again", slog.Any("error", err), slog.Duration("after", wait))
		if err := q.sleep(ctx, wait); err != nil {
			return answer{}, err
		}
	}
}

func (g *Graph) send(ctx context.Context, method, address, token string, data []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(data))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := g.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	read, err := body(response)
	return answer{response.StatusCode, read, response.Header.Get("Retry-After")}, err
}

// fault reads an error that asking again would not mend.
func (a answer) fault() error {
	var said struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(a.body, &said) != nil || !graphCode(said.Error.Code) {
		return unavailable("Graph", fmt.Errorf("status %d without an error that could be read", a.status))
	}
	e := &GraphError{Status: a.status, Code: said.Error.Code, Hint: "The documentation of Microsoft Graph explains the code."}
	switch e.Code {
	case "Authorization_RequestDenied":
		e.Hint = "Give the application the permissions GroupMember.Read.All and User.Read.All of Microsoft Graph, with admin consent."
	case "Request_ResourceNotFound":
		e.Hint = "The tenant has no such user."
	case "InvalidAuthenticationToken":
		e.Hint = "Check ENTRA_AUTHORITY and GRAPH_URL: both must be of the same cloud."
	}
	return e
}

func graphCode(code string) bool {
	return code != "" && len(code) <= 100 && !strings.ContainsFunc(code, func(r rune) bool {
		return r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// throttle answers for how long Graph wants to be left alone.
func (g *Graph) throttle() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, g.throttled.Sub(g.now()))
}

// holdOff reads RFC 9110, 10.2.3 (Retry-After), and holds everybody off.
func (g *Graph) holdOff(header string, otherwise time.Duration) time.Duration {
	wait := otherwise
	now := g.now()
	if seconds, err := strconv.Atoi(header); err == nil {
		wait = time.Duration(min(max(seconds, 0), int(maxThrottle/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = min(max(at.Sub(now), 0), maxThrottle)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := now.Add(wait); until.After(g.throttled) {
		g.throttled = until
	}
	return wait
}

// sleep takes its time from the patience.
func (q *question) sleep(ctx context.Context, wait time.Duration) error {
	q.patience -= wait
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return unavailable("Graph", ctx.Err())
	}
}

// bearer answers a token of the application for Graph, from memory if it can
// (RFC 6749, 4.4, Client Credentials Grant).
func (g *Graph) bearer(ctx context.Context) (string, error) {
	if token := g.remembered(); token != "" {
		return token, nil
	}
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return "", unavailable("the authority", ctx.Err())
	}
	if token := g.remembered(); token != "" {
		return token, nil
	}
	endpoint := g.cfg.endpoints().token
	proof, err := g.cfg.credential(endpoint, g.now())
	if err != nil {
		return "", err
	}
	grant := clientcredentials.Config{
		ClientID: g.cfg.ClientID, ClientSecret: g.cfg.ClientSecret.Reveal(), TokenURL: endpoint,
		Scopes: []string{base(g.cfg.GraphURL) + "/.default"}, EndpointParams: proof, AuthStyle: oauth2.AuthStyleInParams,
	}
	token, err := grant.Token(calling(ctx, g.client))
	if err != nil {
		return "", tokenError(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.token = token.AccessToken
	g.renew = g.now().Add(time.Until(token.Expiry) - tokenMargin)
	return g.token, nil
}

func (g *Graph) remembered() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now().Before(g.renew) {
		return g.token
	}
	return ""
}

// forget drops the token that was refused, unless another has already replaced it.
func (g *Graph) forget(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == token {
		g.token, g.renew = "", time.Time{}
	}
}
