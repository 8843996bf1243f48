package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// hardware makes a token of SoftHSM and the program that speaks to it, and answers the
// environment in which a server uses them.
func hardware(t *testing.T) []string {
	t.Helper()
	util, err := exec.LookPath("softhsm2-util")
	if err != nil {
		t.Skip("SoftHSM is not installed: apt-get install softhsm2")
	}
	library := ""
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			library = path
		}
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "badge-engine-pkcs11")
	build := exec.Command("go", "build", "-o", program, "../../app/pkcs11")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); library == "" || err != nil {
		t.Skipf("the library of SoftHSM or a C compiler is not here: %s", out)
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	pin := filepath.Join(dir, "pin")
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "tokens"), 0o700),
		os.WriteFile(conf, []byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600),
		os.WriteFile(pin, []byte("123456\n"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	init := exec.Command(util, "--init-token", "--free", "--label", "badges", "--so-pin", "12345678", "--pin", "123456")
	init.Env = append(os.Environ(), "SOFTHSM2_CONF="+conf)
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return []string{"SOFTHSM2_CONF=" + conf, "PKCS11_MODULE=" + library, "PKCS11_TOKEN=badges", "PKCS11_PIN_FILE=" + pin, "KEY_VAULT_COMMAND=" + program}
}

// Keys of every kind are made in a hardware module, sign there, and go on after the
// module's program and the server were ended.
func TestKeysInAHardwareModule(t *testing.T) {
	environ := append(hardware(t), "PUBLIC_URL=https://badges.example.org")
	dir := t.TempDir()
	database := "sqlite:" + filepath.Join(dir, "x.db")
	s := start(t, dir, database, environ...)
	issuer := s.issuer()
	achievement := s.achievement(issuer, "")
	keys := "/api/v1/issuers/" + issuer + "/keys"
	for _, kind := range []string{"Ed25519", "P-256", "P-384", "RSA-2048"} {
		made := s.must(201, s.send("POST", keys, map[string]any{"kind": kind, "provider": "pkcs11", "rotate": true}))
		if !bytes.Contains(made.body, []byte(`"provider":"pkcs11"`)) {
			t.Errorf("made %s", made.body)
		}
	}
	s.must(422, s.send("POST", keys, map[string]any{"kind": "P-256", "provider": "kms"}))
	s.must(422, s.send("POST", "/api/v1/issuers", map[string]any{"name": "Elsewhere", "keyProvider": "kms"}))
	first := s.must(201, s.send("POST", "/api/v1/issuers", map[string]any{"name": "Hardware", "keyProvider": "pkcs11"})).id(t)
	if got := s.must(200, s.send("GET", "/api/v1/issuers/"+first+"/keys", nil)); bytes.Count(got.body, []byte(`"provider":"pkcs11"`)) != 1 || bytes.Contains(got.body, []byte(`"provider":"local"`)) {
		t.Errorf("the first key of the issuer is %s", got.body)
	}
	issue := func(form map[string]any, want int) (document json.RawMessage, token string) {
		t.Helper()
		o := order(achievement)
		for name, value := range form {
			o[name] = value
		}
		var out struct {
			Credential json.RawMessage
			Jwt        string
		}
		answer := s.must(want, s.send("POST", "/api/v1/credentials", o))
		json.Unmarshal(answer.body, &out)
		return out.Credential, out.Jwt
	}
	list := s.must(200, s.send("GET", keys, nil))
	var known struct {
		Items []struct{ ID, Kind, State string }
	}
	list.into(t, &known)
	ids := map[string]string{}
	for _, k := range known.Items {
		if k.State == "active" {
			ids[k.Kind] = k.ID
		}
	}
	if len(ids) != 4 {
		t.Fatalf("the keys are %s", list.body)
	}
	everything := func() {
		t.Helper()
		for _, form := range []map[string]any{
			{},
			{"proof": []map[string]any{{"cryptosuite": "ecdsa-rdfc-2019"}, {"cryptosuite": "ecdsa-jcs-2019", "keyId": ids["P-384"]}}},
			{"format": "jwt", "formatKeyId": ids["RSA-2048"]},
			{"format": "jwt", "formatKeyId": ids["P-256"]},
			{"format": "vc+jwt", "formatKeyId": ids["Ed25519"]},
		} {
			document, token := issue(form, 201)
			s.verified(document, "application/json", "", true)
			if token != "" {
				s.verified([]byte(token), "application/jwt", "", true)
			}
		}
	}
	everything()

	// The program ends, as such programs do, and is started again.
	exec.Command("pkill", "-KILL", "-P", strconv.Itoa(s.cmd.Process.Pid)).Run()
	for range 5 {
		if a := s.send("POST", "/api/v1/credentials", order(achievement)); a.status == 201 {
			break
		} else if a.status != 503 {
			t.Fatalf("while the module was away: %d %s", a.status, a.body)
		}
	}
	everything()
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s = start(t, dir, database, append(environ, "KEY_PROVIDER=pkcs11")...)
	everything()
	if got := s.must(200, s.send("GET", "/api/v1/issuers/"+s.issuer()+"/keys", nil)); bytes.Count(got.body, []byte(`"provider":"pkcs11"`)) != 1 || bytes.Contains(got.body, []byte(`"provider":"local"`)) {
		t.Errorf("the first key, as it is configured, is %s", got.body)
	}

	// Without the module nothing is signed, and that is said.
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s = start(t, dir, database, "PUBLIC_URL=https://badges.example.org")
	if a := s.must(503, s.send("POST", "/api/v1/credentials", order(achievement))); !bytes.Contains(a.body, []byte("issuance.vault")) {
		t.Errorf("without the module: %s", a.body)
	}
}
