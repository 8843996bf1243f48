package tracing

import (
	"math"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers below are those of the fields in OTLP's
// opentelemetry/proto/collector/trace/v1/trace_service.proto, trace/v1/trace.proto,
// resource/v1/resource.proto and common/v1/common.proto.

// encode writes an ExportTraceServiceRequest. All spans are of one resource and one
// scope: each tracer has an exporter of its own, and there is one library.
func encode(spans []sdk.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return nil
	}
	var resource []byte
	for _, kv := range spans[0].Resource().Attributes() {
		resource = message(resource, 1, keyValue(kv))
	}
	of := message(nil, 1, resource)
	scope := message(nil, 1, text(nil, 1, library))
	for _, s := range spans {
		scope = message(scope, 2, span(s))
	}
	return message(nil, 1, message(of, 2, scope))
}

func span(s sdk.ReadOnlySpan) []byte {
	at, parent := s.SpanContext(), s.Parent()
	id, own := at.TraceID(), at.SpanID()
	b := message(nil, 1, id[:])
	b = message(b, 2, own[:])
	b = text(b, 3, at.TraceState().String())
	if parent.HasSpanID() {
		above := parent.SpanID()
		b = message(b, 4, above[:])
	}
	b = text(b, 5, s.Name())
	b = number(b, 6, kindNumber(s.SpanKind()))
	b = fixed(b, 7, uint64(s.StartTime().UnixNano()))
	b = fixed(b, 8, uint64(s.EndTime().UnixNano()))
	for _, kv := range s.Attributes() {
		b = message(b, 9, keyValue(kv))
	}
	b = number(b, 10, uint64(s.DroppedAttributes()))
	if status := s.Status(); status.Code != codes.Unset {
		said := text(nil, 2, status.Description)
		code := uint64(1) // STATUS_CODE_OK
		if status.Code == codes.Error {
			code = 2
		}
		b = message(b, 15, number(said, 3, code))
	}
	// SpanFlags: those of W3C, whether it is known where the parent is, and where.
	flags := uint32(at.TraceFlags()) | 0x100
	if parent.IsRemote() {
		flags |= 0x200
	}
	b = protowire.AppendTag(b, 16, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, flags)
}

func kindNumber(k trace.SpanKind) uint64 {
	switch k {
	case trace.SpanKindServer:
		return 2
	case trace.SpanKindClient:
		return 3
	}
	return 1 // SPAN_KIND_INTERNAL
}

func keyValue(kv attribute.KeyValue) []byte {
	var value []byte
	switch kv.Value.Type() {
	case attribute.BOOL:
		n := uint64(0)
		if kv.Value.AsBool() {
			n = 1
		}
		value = protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), n)
	case attribute.INT64:
		value = protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), uint64(kv.Value.AsInt64()))
	case attribute.FLOAT64:
		value = fixed(nil, 4, math.Float64bits(kv.Value.AsFloat64()))
	default:
		value = message(nil, 1, []byte(kv.Value.String()))
	}
	return message(text(nil, 1, string(kv.Key)), 2, value)
}

// message writes a field of bytes, also when there are none: an empty message or
// value in a oneof is not the same as a missing one.
func message(b []byte, field protowire.Number, data []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), data)
}

func text(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func number(b []byte, field protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func fixed(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), n)
}

// rejected reads an ExportTraceServiceResponse: how many spans the collector did not
// take, and why not. What cannot be read rejects nothing.
func rejected(data []byte) (count int64, why string) {
	each(data, func(field protowire.Number, kind protowire.Type, value []byte, _ uint64) {
		if field != 1 || kind != protowire.BytesType { // partial_success
			return
		}
		each(value, func(field protowire.Number, kind protowire.Type, value []byte, n uint64) {
			switch {
			case field == 1 && kind == protowire.VarintType:
				count = int64(n)
			case field == 2 && kind == protowire.BytesType:
				why = string(value)
			}
		})
	})
	return count, why
}

// each visits the fields of a message as far as it can be read.
func each(data []byte, visit func(field protowire.Number, kind protowire.Type, value []byte, n uint64)) {
	for len(data) > 0 {
		field, kind, size := protowire.ConsumeTag(data)
		if size < 0 {
			return
		}
		data = data[size:]
		var value []byte
		var n uint64
		switch kind {
		case protowire.BytesType:
			value, size = protowire.ConsumeBytes(data)
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(data)
		default:
			size = protowire.ConsumeFieldValue(field, kind, data)
		}
		if size < 0 {
			return
		}
		visit(field, kind, value, n)
		data = data[size:]
	}
}
