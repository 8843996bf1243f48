package scim

import (
	"context"
	"strconv"

	"github.com/badge-engine/badge-engine/modules/scim/cursor"
	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// Search is what a client asks of a list, by the parameters of a GET or the members
// of a SearchRequest (RFC 7644, 3.4.2 and 3.4.3; RFC 9865, 2). Numbers are texts as they came;
// nil is what was not given.
type Search struct {
	Filter            string
	SortBy, SortOrder string
	StartIndex, Count *string
	Cursor            *string
	View
}

// ParseSearch reads a SearchRequest.
func ParseSearch(body string) (Search, error) {
	o, err := tree.ParseObject(body)
	if err != nil {
		return Search{}, err
	}
	var s Search
	texts := map[string]*string{"filter": &s.Filter, "sortBy": &s.SortBy, "sortOrder": &s.SortOrder}
	optional := map[string]**string{"startIndex": &s.StartIndex, "count": &s.Count, "cursor": &s.Cursor}
	lists := map[string]*[]string{"attributes": &s.Attributes, "excludedAttributes": &s.Excluded}
	wrong := func(name, want string) error {
		return refusal.New(refusal.InvalidSyntax, "%s must be %s.", name, want)
	}
	for name, into := range texts {
		v, _ := o.Find(name)
		if v.Kind() != tree.Null && v.Kind() != tree.String {
			return s, wrong(name, "a string")
		}
		*into = v.Text()
	}
	for name, into := range optional {
		switch v, _ := o.Find(name); v.Kind() {
		case tree.Null:
		case tree.Number, tree.String:
			text := v.Text()
			*into = &text
		default:
			return s, wrong(name, "a number or a string")
		}
	}
	for name, into := range lists {
		v, _ := o.Find(name)
		switch v.Kind() {
		case tree.Null:
		case tree.String: // some write the list as in an address
			*into = resource.SplitNames(v.Text())
		case tree.List:
			for _, item := range v.Items() {
				if item.Kind() != tree.String {
					return s, wrong(name, "an array of strings")
				}
				*into = append(*into, item.Text())
			}
		default:
			return s, wrong(name, "an array of strings")
		}
	}
	return s, nil
}

// Page is a part of a list and where it lies.
type Page struct {
	Resources      []*tree.Object
	Total          int64
	StartIndex     int64 // 0 where the page was found by a cursor
	Next, Previous string
	byCursor       bool
}

// Message is the page as a ListResponse.
func (p *Page) Message() *tree.Object {
	o := tree.NewObject(
		tree.Member{Name: "schemas", Value: tree.Items(tree.Text(schema.ListResponseURN))},
		tree.Member{Name: "totalResults", Value: tree.Integer(p.Total)})
	if !p.byCursor {
		o.Set("startIndex", tree.Integer(p.StartIndex))
	}
	o.Set("itemsPerPage", tree.Integer(int64(len(p.Resources))))
	if p.Previous != "" {
		o.Set("previousCursor", tree.Text(p.Previous))
	}
	if p.Next != "" {
		o.Set("nextCursor", tree.Text(p.Next))
	}
	items := make([]tree.Value, len(p.Resources))
	for i, r := range p.Resources {
		items[i] = tree.Of(r)
	}
	o.Set("Resources", tree.Items(items...))
	return o
}

// source is the resources of one kind that a search finds.
type source struct {
	kind  *schema.ResourceType
	where condition
	order ordering
	view  *resource.Projection
}

// List answers a page of the resources of some types. It answers with a
// [*refusal.Error].
func (s *Service) List(ctx context.Context, q Search, types ...*schema.ResourceType) (*Page, error) {
	sources, endpoint, sort, err := s.sources(q, types)
	if err != nil {
		return nil, err
	}
	if q.Cursor != nil {
		query := cursor.Query{Caller: principal.From(ctx).ID, Endpoint: endpoint, Filter: q.Filter, Sort: sort}
		return s.listByCursor(ctx, q, query, sources)
	}
	return s.listByIndex(ctx, q, sources)
}

// sources compiles a search for each type. Across types an attribute that one of them
// does not have is one without a value.
func (s *Service) sources(q Search, types []*schema.ResourceType) (sources []source, endpoint, sort string, err error) {
	var node filter.Node
	if q.Filter != "" {
		if node, err = filter.Parse(q.Filter, filter.DefaultLimits); err != nil {
			return nil, "", "", err
		}
	}
	sorted := false
	for _, t := range types {
		c := newCompiler(s.store.db.JSON(), t, s.base)
		from := source{kind: t, where: always}
		if node != nil {
			compile := filter.Compile
			if len(types) > 1 {
				compile = filter.CompileAcross
			}
			p, err := compile(node, t)
			if err == nil {
				from.where, err = c.compile(p)
			}
			if err != nil {
				return nil, "", "", err
			}
		}
		order, err := resource.ParseSort(t, q.SortBy, q.SortOrder)
		missing, _ := refusal.From(err)
		switch {
		case missing != nil && missing.Type == refusal.InvalidPath && len(types) > 1:
			from.order.key = c.text("search", "")
		case err != nil:
			return nil, "", "", err
		case order.Path.Attribute != nil:
			sorted = true
			if from.order, err = c.order(order.Path); err != nil {
				return nil, "", "", err
			}
			from.order.descending = order.Descending
			sort = order.Path.String()
			if order.Descending {
				sort += " descending"
			}
		}
		if from.view, err = resource.ParseProjection(t, q.Attributes, q.Excluded); err != nil {
			return nil, "", "", err
		}
		endpoint += t.Endpoint
		sources = append(sources, from)
	}
	if q.SortBy != "" && !sorted {
		return nil, "", "", refusal.New(refusal.InvalidPath, "sortBy: no resource has an attribute %s.", tree.Excerpt(q.SortBy))
	}
	return sources, endpoint, sort, nil
}

// whole reads a number of a search (RFC 7644, table 6).
func whole(name string, text *string, otherwise int64, wrong refusal.Type) (int64, error) {
	if text == nil || *text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(*text, 10, 64)
	if err != nil {
		return 0, refusal.New(wrong, "%s must be a whole number, not %s.", name, tree.Excerpt(*text))
	}
	return n, nil
}

func (s *Service) listByIndex(ctx context.Context, q Search, sources []source) (*Page, error) {
	start, err := whole("startIndex", q.StartIndex, 1, refusal.InvalidValue)
	if err != nil {
		return nil, err
	}
	count, err := whole("count", q.Count, int64(s.cfg.PageSize), refusal.InvalidValue)
	if err != nil {
		return nil, err
	}
	start, count = max(start, 1), min(max(count, 0), int64(s.cfg.MaxResults))
	page := &Page{StartIndex: start}
	var rows []Listed
	if count > 0 {
		// One more than wanted tells whether this is the end, and then how many there are.
		if rows, err = s.store.List(ctx, sources, window{offset: start - 1, limit: int(count) + 1}); err != nil {
			return nil, err
		}
	}
	if n := int64(len(rows)); count > 0 && n <= count && (n > 0 || start == 1) {
		page.Total = start - 1 + n
	} else if page.Total, err = s.count(ctx, sources); err != nil {
		return nil, err
	}
	page.Resources, err = s.bodies(ctx, rows[:min(len(rows), int(count))], sources, q.View)
	return page, err
}

func (s *Service) count(ctx context.Context, sources []source) (total int64, err error) {
	for _, from := range sources {
		n, err := s.store.Count(ctx, from.kind.ID, from.where)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// The keys of a position: how many resources there are, whether the resource has a
// key, the key, and its id.
const positionKeys = 4

func (s *Service) listByCursor(ctx context.Context, q Search, query cursor.Query, sources []source) (*Page, error) {
	count, err := whole("count", q.Count, int64(s.cfg.PageSize), refusal.InvalidCount)
	if err != nil {
		return nil, err
	}
	if count < 0 {
		return nil, refusal.New(refusal.InvalidCount, "count must not be negative.")
	}
	count = min(count, int64(s.cfg.MaxResults))
	page := &Page{byCursor: true}
	w := window{limit: int(count) + 1}
	if *q.Cursor == "" { // the first page counts, and the cursors remember
		if page.Total, err = s.count(ctx, sources); err != nil {
			return nil, err
		}
	} else {
		p, err := s.cursors.Open(*q.Cursor, query)
		if err != nil {
			return nil, err
		}
		if len(p.Keys) != positionKeys {
			return nil, refusal.New(refusal.InvalidCursor, "The cursor does not belong to this query.")
		}
		if page.Total, err = strconv.ParseInt(p.Keys[0], 10, 64); err != nil {
			return nil, refusal.New(refusal.InvalidCursor, "The cursor does not belong to this query.")
		}
		w.at, w.before = &place{id: p.Keys[3]}, p.Before
		if p.Keys[1] != "" {
			w.at.key = &p.Keys[2]
		}
	}
	rows, err := s.store.List(ctx, sources, w)
	if err != nil {
		return nil, err
	}
	more := len(rows) > int(count)
	if more && w.before {
		rows = rows[len(rows)-int(count):]
	} else if more {
		rows = rows[:count]
	}
	if len(rows) > 0 {
		seal := func(r Listed, before bool) string {
			keys := []string{strconv.FormatInt(page.Total, 10), "", "", r.ID}
			if r.Key != nil {
				keys[1], keys[2] = "key", *r.Key
			}
			return s.cursors.Seal(query, cursor.Position{Keys: keys, Before: before})
		}
		if w.before || more {
			page.Next = seal(rows[len(rows)-1], false)
		}
		if w.at != nil && (!w.before || more) {
			page.Previous = seal(rows[0], true)
		}
	}
	page.Resources, err = s.bodies(ctx, rows, sources, q.View)
	return page, err
}

// bodies are the resources of a page as they are answered. What is related to them is
// read once for the page.
func (s *Service) bodies(ctx context.Context, rows []Listed, sources []source, view View) ([]*tree.Object, error) {
	bodies := make([]*tree.Object, len(rows))
	for _, from := range sources {
		var records []*Record
		for _, r := range rows {
			if r.Type == from.kind {
				records = append(records, r.Record)
			}
		}
		if len(records) == 0 {
			continue
		}
		related, err := s.related(ctx, from.kind, records, from.view, view, true)
		if err != nil {
			return nil, err
		}
		for i, r := range rows {
			if r.Type == from.kind {
				bodies[i] = s.body(r.Record, related, from.view)
			}
		}
	}
	return bodies, nil
}
