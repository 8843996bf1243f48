package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/config"
)

type server struct {
	Port    int           `env:"PORT" help:"port to listen on"`
	Timeout time.Duration `env:"TIMEOUT" help:"how long"`
	Origins []string      `env:"ORIGINS"`
	Echo    bool          `env:"ECHO"`
	_       int
	Derived string
}

func (s server) Check() error {
	if s.Port == 13 {
		return errors.New("PORT must not be 13")
	}
	return nil
}

type cache struct {
	Password config.Secret `env:"REDIS_PASSWORD" help:"password of the cache"`
	Port     int           `env:"PORT" envDefault:"6379"`
	checked  *int
}

func (c *cache) Check() error {
	if c.checked != nil {
		*c.checked++
	}
	return nil
}

type sum struct {
	Public config.PublicURL `env:"PUBLIC_URL" help:"where the world finds it"`
	Need   string           `env:"NEED,required" help:"something needed"`
	Server server
	Cache  cache `envPrefix:"CACHE_"`
}

func start() sum { return sum{Server: server{Port: 8000, Timeout: 30 * time.Second}} }

func TestLoad(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		environ map[string]string
		says    string
		lacks   string
		good    func(sum) bool
	}{
		{name: "what is not set keeps its value", good: func(s sum) bool {
			return s.Server.Port == 8000 && s.Server.Timeout == 30*time.Second && s.Cache.Port == 6379
		}},
		{name: "what is empty keeps its value", environ: map[string]string{"PORT": "", "TIMEOUT": ""}, good: func(s sum) bool { return s.Server.Port == 8000 }},
		{name: "what is set is taken", environ: map[string]string{"PORT": "9000", "TIMEOUT": "2m", "ORIGINS": "a,b", "ECHO": "true", "CACHE_PORT": "1", "CACHE_REDIS_PASSWORD": "p", "PUBLIC_URL": "https://b.example/x/"},
			good: func(s sum) bool {
				return s.Server.Port == 9000 && s.Server.Timeout == 2*time.Minute && slices.Equal(s.Server.Origins, []string{"a", "b"}) && s.Server.Echo &&
					s.Cache.Port == 1 && s.Cache.Password.Reveal() == "p" && s.Public.String() == "https://b.example/x"
			}},
		{name: "a secret may come from a file", environ: map[string]string{"CACHE_REDIS_PASSWORD_FILE": secret}, good: func(s sum) bool { return s.Cache.Password.Reveal() == "from file" }},
		{name: "a secret from two places is refused", environ: map[string]string{"CACHE_REDIS_PASSWORD_FILE": secret, "CACHE_REDIS_PASSWORD": "hunter2"}, says: "CACHE_REDIS_PASSWORD and CACHE_REDIS_PASSWORD_FILE", lacks: "hunter2"},
		{name: "a secret from a file that is not there is refused", environ: map[string]string{"CACHE_REDIS_PASSWORD_FILE": "/nowhere"}, says: "CACHE_REDIS_PASSWORD_FILE"},
		{name: "a wrong number names its variable", environ: map[string]string{"PORT": "http"}, says: `PORT is "http"; give a whole number`},
		{name: "a wrong number of another part names its own", environ: map[string]string{"CACHE_PORT": "http"}, says: `CACHE_PORT is "http"`},
		{name: "a wrong duration names its variable", environ: map[string]string{"TIMEOUT": "30"}, says: "TIMEOUT is \"30\"; give a duration such as 30s"},
		{name: "a wrong switch names its variable", environ: map[string]string{"ECHO": "perhaps"}, says: "ECHO"},
		{name: "a wrong address names its variable once", environ: map[string]string{"PUBLIC_URL": "badges.example"}, says: "PUBLIC_URL must be"},
		{name: "a password in an address is not shown", environ: map[string]string{"PUBLIC_URL": "https://u:hunter2@b.example"}, says: "PUBLIC_URL must be", lacks: "hunter2"},
		{name: "what is required must be set", environ: map[string]string{"NEED": ""}, says: "NEED must be set: something needed"},
		{name: "every mistake is told", environ: map[string]string{"PORT": "x", "TIMEOUT": "y"}, says: "TIMEOUT"},
		{name: "a part is checked", environ: map[string]string{"PORT": "13"}, says: "PORT must not be 13"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, checked := start(), 0
			s.Cache.checked = &checked
			environ := map[string]string{"NEED": "x"}
			for name, value := range row.environ {
				environ[name] = value
			}
			if environ["NEED"] == "" {
				delete(environ, "NEED")
			}
			err := config.Load(&s, environ)
			if row.says == "" {
				if err != nil || !row.good(s) || checked != 1 {
					t.Errorf("%v %+v, checked %d times", err, s, checked)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("error %v does not say %q", err, row.says)
			}
			if row.lacks != "" && strings.Contains(err.Error(), row.lacks) {
				t.Errorf("error %v shows %q", err, row.lacks)
			}
			if strings.Count(fmt.Sprint(err), "PUBLIC_URL") > 1 {
				t.Errorf("error %v repeats itself", err)
			}
		})
	}
}

func TestLoadWantsAPointerToAStruct(t *testing.T) {
	for _, into := range []any{nil, sum{}, (*sum)(nil), new(int)} {
		if config.Load(into, nil) == nil {
			t.Errorf("%T was taken", into)
		}
	}
}

func TestDescribe(t *testing.T) {
	s := start()
	s.Cache.Password = "hunter2"
	want := []config.Variable{
		{Name: "PUBLIC_URL", Help: "where the world finds it"},
		{Name: "NEED", Help: "something needed"},
		{Name: "PORT", Default: "8000", Help: "port to listen on"},
		{Name: "TIMEOUT", Default: "30s", Help: "how long"},
		{Name: "ORIGINS"},
		{Name: "ECHO", Default: "false"},
		{Name: "CACHE_REDIS_PASSWORD", Default: "***", Help: "password of the cache (or from the file that CACHE_REDIS_PASSWORD_FILE names)"},
		{Name: "CACHE_PORT", Default: "6379"},
	}
	if got := config.Describe(&s); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CONFIG_TEST_BOTH", "process")
	environ, err := config.Environment(dir)
	if err != nil || environ["CONFIG_TEST_BOTH"] != "process" {
		t.Errorf("without a file: %v %q", err, environ["CONFIG_TEST_BOTH"])
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# comment\nCONFIG_TEST_FILE='from file'\nCONFIG_TEST_BOTH=file\n")
	environ, err = config.Environment(dir)
	if err != nil || environ["CONFIG_TEST_FILE"] != "from file" || environ["CONFIG_TEST_BOTH"] != "process" {
		t.Errorf("with a file: %v %q %q", err, environ["CONFIG_TEST_FILE"], environ["CONFIG_TEST_BOTH"])
	}
	write("hunter2 without a name\n")
	if _, err := config.Environment(dir); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	s := config.Secret("hunter2")
	data, err := json.Marshal(map[string]any{"s": s, "list": []config.Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "s", s)
	all := fmt.Sprintf("%s %v %+v %#v %q %x %s %s", s, s, struct{ S config.Secret }{s}, s, s, s, data, out.String())
	if strings.Contains(all, "hunter2") || strings.Contains(all, "68756e74657232") {
		t.Error(all)
	}
	if config.Secret("").String() != "" {
		t.Error("an empty secret looks like one")
	}
}

func TestPublicURL(t *testing.T) {
	for _, s := range []string{"", "badges.example", "/x", "ftp://x.example", "https://", "https://x.example?q", "https://x.example#f", "https://u@x.example", "https://x y"} {
		if _, err := config.ParsePublicURL(s); err == nil || !strings.Contains(err.Error(), "PUBLIC_URL") {
			t.Errorf("%q: %v", s, err)
		}
	}
	u, err := config.ParsePublicURL("https://x.example/base/")
	if err != nil || u.Join("issuers", "1") != "https://x.example/base/issuers/1" || !u.Secure() {
		t.Errorf("%v %v", u, err)
	}
}

func TestWhatWasGivenIsSaidAndSecretsAreNot(t *testing.T) {
	for _, row := range []struct {
		environ     map[string]string
		says, lacks string
	}{
		{map[string]string{"PORT": "13"}, `PORT must not be 13; PORT is "13"`, ""},
		{map[string]string{"PORT": "redis://u:hunter2@x"}, `PORT is "redis://`, "hunter2"},
		{map[string]string{"TIMEOUT": "postgres://x?password=hunter2"}, "TIMEOUT is", "hunter2"},
	} {
		s := start()
		environ := map[string]string{"NEED": "x"}
		for name, value := range row.environ {
			environ[name] = value
		}
		err := config.Load(&s, environ)
		if err == nil || !strings.Contains(err.Error(), row.says) || row.lacks != "" && strings.Contains(err.Error(), row.lacks) {
			t.Errorf("%v: %v", row.environ, err)
		}
	}
}

func TestStrangersAreWhatLooksLikeOurs(t *testing.T) {
	s := start()
	got := config.Strangers(&s, map[string]string{
		"PORT": "1", "CACHE_REDIS_PASSWORD": "", "CACHE_REDIS_PASSWORD_FILE": "", "LOG_LEVEL_SCIM": "", // ours
		"HOME": "", "PATH": "", "POST": "", "POSTGRES_PASSWORD": "", // others'
		"PUBLIC_URI": "", "TIMEOUTS": "", "ENTRA_ANYTHING": "", // like ours
	})
	want := []config.Stranger{{Name: "ENTRA_ANYTHING"}, {Name: "PUBLIC_URI", Meant: "PUBLIC_URL"}, {Name: "TIMEOUTS", Meant: "TIMEOUT"}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}
