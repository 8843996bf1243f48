package scim

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/badge-engine/badge-engine/modules/scim/bulk"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// outcome is what became of one operation of a bulk request.
type outcome struct {
	status   int
	location string
	etag     string
	refusal  *refusal.Error // nil: it succeeded
	done     bool
}

// operations are what the methods of bulk requests do; what is none counts as other.
var operations = map[string]string{http.MethodPost: "create", http.MethodPut: "replace", http.MethodPatch: "modify", http.MethodDelete: "delete"}

// Bulk carries out the operations of a BulkRequest (RFC 7644, 3.7), each as one unit:
// whatever happens, an operation is done or it is not. refused hears of each that
// failed. It answers with a [*refusal.Error] for a request that cannot be worked through.
func (s *Service) Bulk(ctx context.Context, body string, explain func(error) *refusal.Error, refused func(bulk.Operation, *refusal.Error)) (*tree.Object, error) {
	request, err := bulk.Parse(s.registry, body, bulk.Limits{Operations: s.cfg.BulkOperations, Payload: s.cfg.BulkPayload})
	if err != nil {
		return nil, err
	}
	outcomes := make([]outcome, len(request.Operations))
	made := map[string]string{}
	failures := 0
	for _, step := range request.Steps {
		op, o := request.Operations[step.Operation], &outcomes[step.Operation]
		if request.FailOnErrors > 0 && failures >= request.FailOnErrors && !(step.Link && o.done) {
			continue // but an operation that was begun is brought to its end, be it a failure
		}
		if o.refusal != nil { // its first half failed
			continue
		}
		if err := s.step(ctx, request, step, op, made, o); err != nil {
			o.refusal = explain(err)
			o.status = o.refusal.Status
			failures++
			refused(op, o.refusal)
		}
		o.done = true
	}
	var answers []tree.Value
	for i, op := range request.Operations {
		if o := outcomes[i]; o.done {
			var failure error // and not a refusal that is nil
			if o.refusal != nil {
				failure = o.refusal
			}
			s.counted(op.Type, cmp.Or(operations[op.Method], "other"), failure)
			answers = append(answers, tree.Of(o.message(op)))
		}
	}
	return tree.NewObject(
		tree.Member{Name: "schemas", Value: tree.Items(tree.Text(schema.BulkResponseURN))},
		tree.Member{Name: "Operations", Value: tree.Items(answers...)}), nil
}

// step does one step of the plan.
func (s *Service) step(ctx context.Context, request *bulk.Request, step bulk.Step, op bulk.Operation, made map[string]string, o *outcome) error {
	if op.Refused != nil {
		return op.Refused
	}
	call, err := request.Resolve(step, made)
	if err != nil {
		return err
	}
	version := op.Version
	if step.Link { // the version is that of before the first half
		version = ""
	}
	var a *Answer
	switch call.Method {
	case http.MethodPost:
		o.status = http.StatusCreated
		a, err = s.Create(ctx, call.Type, call.Body, View{})
		if err == nil {
			made[op.BulkID] = a.ID
		}
	case http.MethodPut:
		o.status = http.StatusOK
		a, err = s.Replace(ctx, call.Type, call.ID, version, call.Body, View{Attributes: []string{"id"}})
	case http.MethodPatch:
		if !step.Link {
			o.status = http.StatusOK
		}
		a, err = s.Modify(ctx, call.Type, call.ID, version, call.Body, View{Attributes: []string{"id"}})
	case http.MethodDelete:
		o.status = http.StatusNoContent
		o.location = s.location(call.Type.ID, call.ID)
		return s.Delete(ctx, call.Type, call.ID, version)
	default:
		return refusal.New(refusal.InvalidSyntax, "The method must be POST, PUT, PATCH or DELETE.")
	}
	if err != nil {
		if call.ID != "" && !step.Link {
			o.location = s.location(call.Type.ID, call.ID)
		}
		return err
	}
	o.location, o.etag = a.Location, a.ETag
	return nil
}

// message is the outcome as an operation of a BulkResponse.
func (o outcome) message(op bulk.Operation) *tree.Object {
	m := tree.NewObject(tree.Member{Name: "method", Value: tree.Text(op.Method)})
	for _, part := range []struct{ name, text string }{{"bulkId", op.BulkID}, {"version", o.etag}, {"location", o.location}} {
		if part.text != "" {
			m.Set(part.name, tree.Text(part.text))
		}
	}
	m.Set("status", tree.Text(strconv.Itoa(o.status)))
	if o.refusal != nil {
		m.Set("response", tree.Of(refusalBody(o.refusal)))
	}
	return m
}

// refusalBody is the Error message (RFC 7644, 3.12).
func refusalBody(e *refusal.Error) *tree.Object {
	o := tree.NewObject(
		tree.Member{Name: "schemas", Value: tree.Items(tree.Text(refusal.Schema))},
		tree.Member{Name: "status", Value: tree.Text(strconv.Itoa(e.Status))})
	if e.Type != refusal.None {
		o.Set("scimType", tree.Text(string(e.Type)))
	}
	if e.Detail != "" {
		o.Set("detail", tree.Text(e.Detail))
	}
	return o
}
