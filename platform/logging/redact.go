package logging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const hidden = "***"

// A rule applies to texts that contain its hint; looking for the hint first
// spares nearly every record the regular expression.
type rule struct {
	hint    string
	pattern *regexp.Regexp
	replace string
}

// The order matters: an address with a password would also pass for an e-mail address.
var rules = []rule{
	{"://", regexp.MustCompile(`://[^/\s:@"']*:[^/\s@"']*@`), "://" + hidden + "@"},
	{"@", regexp.MustCompile(`[\pL\pN.!#$%&+^_~-]+@([\pL\pN-]+\.)+\pL[\pL\pN-]+`), "[e-mail]"},
	{"earer ", regexp.MustCompile(`([Bb]earer) +[A-Za-z0-9._~+/=-]+`), "$1 " + hidden},
	{"EARER ", regexp.MustCompile(`BEARER +[A-Za-z0-9._~+/=-]+`), "BEARER " + hidden},
	{"asic ", regexp.MustCompile(`\b([Bb]asic) +[A-Za-z0-9+/]{8,}=*`), "$1 " + hidden},
	{"be_", regexp.MustCompile(`\bbe_[A-Za-z0-9_-]{8,}`), "be_" + hidden},
	{"eyJ", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*`), "[jws]"},
	{"=", regexp.MustCompile(`(?i)\b(password|passwd|secret|client_secret|token|access_token|refresh_token|id_token|api_?key|code)=[^\s&"']+`), "$1=" + hidden},
}

// Redact returns s without e-mail addresses, passwords in URLs, and tokens.
func Redact(s string) string {
	for _, r := range rules {
		if strings.Contains(s, r.hint) {
			s = r.pattern.ReplaceAllString(s, r.replace)
		}
	}
	return s
}

var (
	secretWords = []string{"password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "apikey", "private_key", "privatekey", "email", "e_mail", "e-mail"}
	// A key that ends so tells about a secret, not the secret: token_id, token_count.
	plainEnds = []string{"_id", "_count", "_name", "_at", "_hash", "_type", "_endpoint"}
)

func namesSecret(key string) bool {
	key = strings.ToLower(key)
	contains := func(word string) bool { return strings.Contains(key, word) }
	ends := func(end string) bool { return strings.HasSuffix(key, end) }
	return slices.ContainsFunc(secretWords, contains) && !slices.ContainsFunc(plainEnds, ends)
}

// keys are those of attributes that were looked at before. They are words of the program,
// so that there are never many.
var keys sync.Map // of string to bool

func secretKey(key string) bool {
	if secret, ok := keys.Load(key); ok {
		return secret.(bool)
	}
	secret := namesSecret(key)
	keys.Store(key, secret)
	return secret
}

// redactAttr serves as [slog.HandlerOptions.ReplaceAttr]; it sees every
// attribute, in groups too, and the message.
func redactAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindBool, slog.KindTime, slog.KindDuration, slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		return a
	}
	if secretKey(a.Key) {
		if a.Value.Kind() != slog.KindString || a.Value.String() != "" {
			a.Value = slog.StringValue(hidden)
		}
		return a
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(a.Value.String()))
	case slog.KindAny:
		a.Value = redactAny(a.Value.Any())
	}
	return a
}

func redactAny(v any) slog.Value {
	switch v := v.(type) {
	case nil, *slog.Source:
		return slog.AnyValue(v)
	case slog.Level: // as text at once: every record has one
		return slog.StringValue(v.String())
	case error:
		return slog.StringValue(Redact(v.Error()))
	case []byte:
		return slog.StringValue(fmt.Sprintf("[%d bytes]", len(v)))
	case fmt.Stringer:
		return slog.StringValue(Redact(v.String()))
	}
	// Anything else is looked at as the JSON it would become, member by member.
	data, err := json.Marshal(v)
	if err != nil {
		return slog.StringValue(Redact(fmt.Sprint(v)))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return slog.StringValue(Redact(string(data)))
	}
	return slog.AnyValue(redactTree(tree))
}

func redactTree(v any) any {
	switch v := v.(type) {
	case string:
		return Redact(v)
	case []any:
		for i := range v {
			v[i] = redactTree(v[i])
		}
	case map[string]any:
		for key, member := range v {
			if namesSecret(key) {
				v[key] = hidden
			} else {
				v[key] = redactTree(member)
			}
		}
	}
	return v
}
