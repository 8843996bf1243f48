package engine_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
)

// kinds are the plausible mistakes for each kind of variable.
var kinds = map[string][]string{
	"duration": {"30", "-5s", "soon", "5 minutes"},
	"number":   {"many", "-1", "1.5", "10MB", "99999999999999999999"},
	"switch":   {"perhaps", "ja", "2"},
}

// texts are the plausible mistakes of those that are neither.
var texts = map[string][]string{
	"PUBLIC_URL":                            {"badges.example.org", "ftp://x", "https://", "https://u:hunter2@x", "https://x?q", "/badges"},
	"LOG_LEVEL":                             {"loud", "info,auth=loud"},
	"LOG_FORMAT":                            {"xml"},
	"TLS_CERT_FILE":                         {"cert.pem"}, // without its key
	"TLS_KEY_FILE":                          {"key.pem"},
	"CORS_ORIGINS":                          {"example.org", "https://x/", "https://x/path"},
	"TRUSTED_PROXIES":                       {"proxy", "10.0.0.0/33"},
	"DATABASE_URL":                          {"badge_engine", "mysql://root:hunter2@x/y", "sqlite:", "sqlite::memory:", "postgres://u:hunter2@host:port/x"},
	"REDIS_URL":                             {"localhost", "ftp://x", "redis://:hunter2@host:port/0"},
	"MIGRATE_ON_START":                      {"perhaps", "true"},
	"BOOTSTRAP_ADMIN_TOKEN":                 {"hunter2"},
	"AUTH_APP_ROLES":                        {"Badge.Admin", "Badge.Admin=king"},
	"ENTRA_TENANT_ID":                       {"common", "contoso.onmicrosoft.com"},
	"ENTRA_CLIENT_ID":                       {"badges"},
	"ENTRA_CLIENT_SECRET":                   {"8a3b1c9e-0000-4000-8000-0123456789ab"},
	"ENTRA_CLIENT_CERTIFICATE_FILE":         {"cert.pem"},
	"ENTRA_CLIENT_KEY_FILE":                 {"key.pem"},
	"ENTRA_AUTHORITY":                       {"login.microsoftonline.com", "https://login.microsoftonline.com/tenant"},
	"GRAPH_URL":                             {"graph.microsoft.com", "http://graph.microsoft.com"},
	"ENTRA_REDIRECT_URI":                    {"/auth/callback", "http://badges.example.org/auth/callback", "https://x/*"},
	"ENTRA_AUDIENCES":                       {"api://*"},
	"ENTRA_ALLOWED_CLIENTS":                 {"my app"},
	"KEY_VAULT_COMMAND":                     {"/nowhere/badge-engine-pkcs11"},
	"KEY_PROVIDER":                          {"pkcs11"}, // without a program
	"OTEL_TRACES_EXPORTER":                  {"jaeger", "otlp,console"},
	"OTEL_EXPORTER_OTLP_ENDPOINT":           {"collector:4318", "grpc://collector:4317", "https://user:hunter2@collector"},
	"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":    {"collector:4318", "/v1/traces", "http://collector:4318/?key=hunter2"},
	"OTEL_EXPORTER_OTLP_PROTOCOL":           {"grpc", "http/json"},
	"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL":    {"grpc"},
	"OTEL_EXPORTER_OTLP_HEADERS":            {"hunter2", "authorization: hunter2", "x=%zzhunter2"},
	"OTEL_EXPORTER_OTLP_TRACES_HEADERS":     {"hunter2", "x y=hunter2"},
	"OTEL_EXPORTER_OTLP_COMPRESSION":        {"zstd"},
	"OTEL_EXPORTER_OTLP_CERTIFICATE":        {"/nowhere/ca.pem"},
	"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": {"cert.pem"}, // without its key
	"OTEL_EXPORTER_OTLP_CLIENT_KEY":         {"key.pem"},
	"OTEL_RESOURCE_ATTRIBUTES":              {"production", "a=%zz"},
	"OTEL_TRACES_SAMPLER":                   {"sometimes", "parentbased_sometimes"},
	"OTEL_TRACES_SAMPLER_ARG":               {"10%", "2", "NaN"},
	"PPROF_LISTEN":                          {"6060", "0.0.0.0:6060", ":6060"},
	"KEY_ENCRYPTION_KEY":                    {"hunter2", "aHVudGVyMg=="},
	"KEY_ENCRYPTION_KEY_PREVIOUS":           {"hunter2", "aHVudGVyMg=="},
}

// anything goes for these: every text means something, or only the machine can say.
var anything = map[string]bool{
	"HOST": true, "LOG_DIR": true, "REDIS_PASSWORD": true, "APP_ENV": true, "AUTH_SESSION_KEY": true, "KEY_ENCRYPTION_KEY_FILE": true,
	"SCIM_EXTENSIONS_FILE": true, "OTEL_SERVICE_NAME": true, "ENTRA_ADMIN_GROUPS": true, "ENTRA_ISSUER_GROUPS": true, "AUTH_AUDITOR_GROUPS": true,
}

func TestEveryVariableWrongInEveryPlausibleWayStopsTheStart(t *testing.T) {
	var visit func(part reflect.Type)
	visit = func(part reflect.Type) {
		for i := range part.NumField() {
			field := part.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
			if name == "" {
				if field.Type.Kind() == reflect.Struct && field.IsExported() {
					visit(field.Type)
				}
				continue
			}
			wrong := texts[name]
			switch {
			case field.Type == reflect.TypeFor[time.Duration]():
				wrong = append(kinds["duration"], wrong...)
			case field.Type.Kind() == reflect.Bool:
				wrong = append(kinds["switch"], wrong...)
			case field.Type.Kind() >= reflect.Int && field.Type.Kind() <= reflect.Uint64:
				wrong = append(kinds["number"], wrong...)
			case len(wrong) == 0 && !anything[name]:
				t.Errorf("%s: nobody has thought of how it may be wrong; add a row to texts, or to anything", name)
			}
			for _, value := range wrong {
				t.Run(name+"="+value, func(t *testing.T) { refused(t, name, value) })
			}
		}
	}
	visit(reflect.TypeFor[engine.Config]())
}

func refused(t *testing.T, name, value string) {
	t.Helper()
	environ := map[string]string{name: value}
	if strings.HasPrefix(name, "ENTRA_") || name == "GRAPH_URL" { // looked at only where there is a tenant
		for n, v := range map[string]string{"ENTRA_TENANT_ID": "8a3b1c9e-0000-4000-8000-0123456789ab", "ENTRA_CLIENT_ID": "8a3b1c9e-0000-4000-8000-0123456789ab"} {
			if n != name {
				environ[n] = v
			}
		}
	}
	_, err := engine.Load(environ)
	if err == nil {
		t.Fatal("it was taken")
	}
	said := err.Error()
	if !strings.Contains(said, name) {
		t.Errorf("%q does not name the variable", said)
	}
	if strings.Contains(said, "hunter2") {
		t.Errorf("%q shows a secret", said)
	}
	shown := strings.Contains(said, value) || strings.Contains(said, "***")
	if !shown {
		t.Errorf("%q does not say what was given", said)
	}
	if len(said) < len(name)+len(value)+20 {
		t.Errorf("%q does not say what is allowed", said)
	}
}
