package scimprobe

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// checks in the order in which they run.
var checks = []check{
	{name: "address", looks: "https, a name that the world can resolve", alone: true, run: checkAddress},
	{name: "certificate", looks: "TLS 1.2, a chain that ends at a public authority, a strong key", alone: true, run: checkCertificate},
	{name: "test-connection", looks: "a look-up of nobody by userName finds nobody", alone: true, run: checkConnection},
	{name: "matching", looks: "so does one by externalId and by work e-mail", run: checkMatching},
	{name: "groups", looks: "and one of a group by displayName", run: checkGroups},
	{name: "flag", looks: "parameters that nobody knows are left out of account", run: checkFlag},
	{name: "not-found", looks: "who does not exist is 404 in the form of SCIM", run: checkNotFound},
	{name: "methods", looks: "PUT, PATCH and DELETE come through", run: checkMethods},
	{name: "authentication", looks: "without the token and with a wrong one it is 401", run: checkAuthentication},
	{name: "characters", looks: "names with every sign come through", run: checkCharacters},
	{name: "listing", looks: "pages begin and end where they are asked to", run: checkListing},
	{name: "discovery", looks: "ServiceProviderConfig, ResourceTypes and Schemas can be read", run: checkDiscovery},
	{name: "locations", looks: "the server knows the address under which it is asked", run: checkLocations},
	{name: "rate", looks: "25 look-ups a second are answered", unless: noLookups, run: checkRate},
	{name: "user", looks: "a user is created, found, changed, disabled and deleted", unless: readOnly, run: checkUser},
	{name: "group", looks: "a group is created, gains and loses members, and is deleted", unless: readOnly, run: checkGroup},
	{name: "speed", looks: "no answer takes longer than a second", run: checkSpeed},
}

func readOnly(o Options) string {
	if o.Write {
		return ""
	}
	return "writes; asked for with --write"
}

func noLookups(o Options) string {
	if o.Lookups > 0 {
		return ""
	}
	return "not asked for"
}

func checkAddress(ctx context.Context, v *visit) {
	base := v.c.Base
	if !strings.HasSuffix(base.Path, "/scim/v2") {
		v.warn(Address, "The address of Badge Engine ends with /scim/v2.", "the path is %q", base.Path)
	}
	var addresses []net.IP
	if ip := net.ParseIP(base.Hostname()); ip != nil {
		addresses = []net.IP{ip}
		if !ip.IsLoopback() {
			v.warn(Address, "Give it a name: public authorities certify names.", "the host is an IP address")
		}
	} else {
		found, err := net.DefaultResolver.LookupIPAddr(ctx, base.Hostname())
		if err != nil {
			v.fail(NoAnswer, "See the entry in the DNS.", "the name does not resolve: %v", err)
			return
		}
		for _, a := range found {
			addresses = append(addresses, a.IP)
		}
	}
	inside := len(addresses) > 0 && !slices.ContainsFunc(addresses, func(ip net.IP) bool { return !private(ip) })
	if inside {
		v.warn(Address, "Entra calls from the internet (service tag AzureActiveDirectory): publish the address there, or use its on-premises agent.", "it leads to %v, which the internet cannot reach", addresses[0])
	}
	if base.Scheme == "https" {
		return
	}
	if inside {
		v.warn(Protocol, "Entra takes https alone.", "it is not https")
		return
	}
	// The token is not sent where everybody on the way could read it.
	v.stop = true
	v.fail(Protocol, "Give Entra the https address. The token was not sent in the clear.", "it is not https")
	bare := *v.c
	bare.Token = ""
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if a, err := bare.Send(ctx, "GET", "/ServiceProviderConfig", nil); err == nil && a.Status/100 == 3 {
		v.fail(Redirected, "Entra does not follow a redirect with its token.", "it leads to %s", a.Header.Get("Location"))
	}
}

// suites are those that Microsoft names for its provisioning service, with TLS 1.2.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
}

func checkCertificate(ctx context.Context, v *visit) {
	if v.c.Base.Scheme != "https" {
		v.warn(Certificate, "", "there is none without https")
		return
	}
	host, port := v.c.Base.Hostname(), v.c.Base.Port()
	if port == "" {
		port = "443"
	}
	dial := func(cfg *tls.Config) (*tls.ConnectionState, error) {
		cfg.ServerName = host
		cfg.InsecureSkipVerify = true // nothing is sent; the chain is looked at below
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		conn, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		state := conn.(*tls.Conn).ConnectionState() // what a tls.Dialer makes
		return &state, nil
	}
	state, err := dial(&tls.Config{MinVersion: tls.VersionTLS12})
	if err != nil {
		var network *net.OpError
		if errors.As(err, &network) && network.Op == "dial" {
			v.fail(NoAnswer, "See that the port is open to the world.", "%v", err)
			return
		}
		v.fail(Protocol, "Switch TLS 1.2 or newer on.", "no connection with TLS 1.2 or newer: %v", err)
		return
	}
	if _, err := dial(&tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: suites}); err != nil {
		v.warn(Protocol, "Keep TLS 1.2 switched on, with ECDHE and AES.", "TLS 1.2 with the suites of Entra is refused: %v", err)
	}

	leaf, others := state.PeerCertificates[0], state.PeerCertificates[1:] // a server always sends one
	verify := x509.VerifyOptions{DNSName: host, Roots: v.o.Roots, Intermediates: x509.NewCertPool(), CurrentTime: v.o.Now()}
	for _, c := range others {
		verify.Intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(verify)
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
	case errors.As(err, &name):
		v.fail(Certificate, "Get a certificate for this name.", "it is not for this name: %v", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		v.fail(Certificate, "Renew it.", "%v", err)
	case errors.As(err, &unknown) && leaf.CheckSignatureFrom(leaf) == nil:
		v.fail(Certificate, "Entra takes certificates of public authorities alone.", "the server certifies itself")
	case errors.As(err, &unknown) && len(others) == 0:
		v.fail(Certificate, "Install the certificate together with those between it and the authority (fullchain.pem, not cert.pem).", "the server sends its own certificate alone, of %s, and the chain cannot be followed from there", leaf.Issuer)
	default:
		v.fail(Certificate, "Entra takes certificates of public authorities alone.", "%v", err)
	}
	if left := leaf.NotAfter.Sub(v.o.Now()); err == nil && left < 14*24*time.Hour {
		v.warn(Certificate, "Renew it; an expired one stops the provisioning at once.", "it expires on %s", leaf.NotAfter.Format(time.DateOnly))
	}
	weak := func(c *x509.Certificate) bool {
		switch key := c.PublicKey.(type) {
		case *rsa.PublicKey:
			return key.N.BitLen() < 2048
		case *ecdsa.PublicKey:
			return key.Curve.Params().BitSize < 256
		}
		return true
	}
	if len(chains) > 0 && slices.ContainsFunc(chains[0], weak) || len(chains) == 0 && weak(leaf) {
		v.fail(Certificate, "Entra wants RSA with 2048 bits, or an elliptic curve with 256, or more.", "a key of the chain is too weak")
	}
}

const queryRemedy = "A query that finds nothing is 200 with an empty list; anything else stops the whole job (quarantine)."

// nobody looks up what nobody has.
func (v *visit) nobody(ctx context.Context, target string) bool {
	a, ok := v.expect(ctx, 200, queryRemedy, "GET", target, nil)
	if !ok {
		return false
	}
	list := a.Document()
	resources, _ := list["Resources"].([]any)
	if !slices.Contains(strs(list["schemas"]), ListSchema) {
		v.fail(ListShape, "Every query is answered with a ListResponse.", "GET %s is answered by no list", target)
		return false
	}
	if len(resources) > 0 || fmt.Sprint(list["totalResults"]) != "0" {
		v.fail(FilterIgnored, "A filter that the server does not understand must be refused: Entra takes what is found for the user it looked for, and links the wrong account.",
			"a look-up of a random value finds %v: GET %s", list["totalResults"], target)
		return false
	}
	return true
}

func checkConnection(ctx context.Context, v *visit) {
	target := Query("/Users", "filter", "userName eq "+Quote(GUID()))
	a, err := v.c.Send(ctx, "GET", target, nil)
	if err == nil && (a.Status == 401 || a.Status == 403) {
		v.fail(TokenRefused, "See that the token is right, has not expired or been revoked and may provision, and that no proxy removes the header Authorization (Apache: CGIPassAuth On).", "%s", a)
		return
	}
	v.nobody(ctx, target)
}

func checkMatching(ctx context.Context, v *visit) {
	for _, attribute := range []string{"externalId", `emails[type eq "work"].value`} {
		v.nobody(ctx, Query("/Users", "filter", attribute+" eq "+Quote(GUID())))
	}
	v.nobody(ctx, Query("/Users", "attributes", "id", "filter", "id eq "+Quote(GUID())+" and manager eq "+Quote(GUID())))
}

func checkGroups(ctx context.Context, v *visit) {
	for _, attribute := range []string{"displayName", "externalId"} {
		v.nobody(ctx, Query("/Groups", "excludedAttributes", "members", "filter", attribute+" eq "+Quote(GUID())))
	}
}

func checkFlag(ctx context.Context, v *visit) {
	v.nobody(ctx, Query("/Users", "filter", "userName eq "+Quote(GUID()))+"&"+flag)
}

func checkNotFound(ctx context.Context, v *visit) {
	const remedy = "What does not exist is 404 with an error of SCIM as the body, whatever the id looks like. " + proxyRemedy
	for _, target := range []string{"/Users/" + GUID(), "/Users/7", "/Groups/" + GUID(), "/Groups/" + GUID() + "?excludedAttributes=members", "/NoSuchEndpoint"} {
		v.expect(ctx, 404, remedy, "GET", target, nil)
	}
}

func checkMethods(ctx context.Context, v *visit) {
	patch := map[string]any{"schemas": []string{PatchSchema}, "Operations": []any{map[string]any{"op": "Replace", "path": "displayName", "value": "nobody"}}}
	for _, endpoint := range []string{"/Users/", "/Groups/"} {
		for _, method := range []string{"PATCH", "PUT", "DELETE"} {
			var body any
			switch {
			case method == "PATCH":
				body = patch
			case method == "PUT" && endpoint == "/Users/":
				body = map[string]any{"schemas": []string{UserSchema}, "userName": GUID()}
			case method == "PUT":
				body = map[string]any{"schemas": []string{GroupSchema}, "displayName": GUID()}
			}
			a, ok := v.ask(ctx, method, endpoint+GUID(), body)
			if ok && a.Status == 404 || a.Status == 0 || method == "PUT" && a.Status == 501 {
				continue
			}
			v.fail(Blocked, "Let PUT, PATCH and DELETE through to the server (IIS: remove WebDAV; firewalls: allow the methods and application/scim+json for this path).",
				"%s, and not 404", a)
		}
	}
}

func checkAuthentication(ctx context.Context, v *visit) {
	target := Query("/Users", "filter", "userName eq "+Quote(GUID()))
	for what, header := range map[string]string{"without a token": "", "with a wrong token": "Bearer " + GUID(), "with a password": "Basic Og=="} {
		a, ok := v.ask(ctx, "GET", target, nil, "Authorization", header)
		switch {
		case !ok:
		case a.Status/100 == 2:
			v.fail(OpenDoor, "Everybody can read and change the directory. Take it from the network until it asks for a token.", "it answers %d %s", a.Status, what)
		case a.Status != 401:
			v.fail(WrongStatus, "Answer 401 with WWW-Authenticate: Bearer.", "%s %s, and not 401", a, what)
		}
	}
}

func checkCharacters(ctx context.Context, v *visit) {
	const remedy = "A firewall takes a name for an attack, or a proxy decodes the query: exempt this path from its rules."
	for _, value := range []string{"O'Brien", "Zoë Ñandú 李雷", `quote " and \`, "R&D + 100% #1; --", "1 or 1=1", "<b>"} {
		a, ok := v.ask(ctx, "GET", Query("/Users", "filter", "userName eq "+Quote("nobody-"+GUID()+" "+value)), nil)
		if !ok || a.Status != 200 {
			v.fail(Blocked, remedy, "a look-up of the name %s is answered %d", value, a.Status)
		}
	}
	// Entra escapes the brackets; others do not.
	a, ok := v.ask(ctx, "GET", "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22"+GUID()+"%22", nil)
	if !ok || a.Status != 200 {
		v.fail(Blocked, remedy, "a look-up with brackets is answered %d", a.Status)
	}
}

func checkListing(ctx context.Context, v *visit) {
	for _, endpoint := range []string{"/Users", "/Groups"} {
		target := endpoint + "?startIndex=1&count=1"
		if endpoint == "/Groups" {
			target += "&excludedAttributes=members"
		}
		a, ok := v.expect(ctx, 200, "", "GET", target, nil)
		if !ok {
			continue
		}
		list := a.Document()
		resources, _ := list["Resources"].([]any)
		if len(resources) > 1 {
			v.fail(Paging, "Keep to count.", "GET %s lists %d", target, len(resources))
		}
		if start := list["startIndex"]; start != nil && fmt.Sprint(start) != "1" {
			v.fail(Paging, "Answer the startIndex that was asked for.", "GET %s begins at %v", target, start)
		}
	}
}

func checkDiscovery(ctx context.Context, v *visit) {
	const remedy = "Entra reads it when an administrator opens the mapping."
	if a, ok := v.expect(ctx, 200, remedy, "GET", "/ServiceProviderConfig", nil); ok {
		patch, _ := a.Document()["patch"].(map[string]any)
		if patch["supported"] != true {
			v.fail(Discovery, "Entra changes by PATCH alone.", "ServiceProviderConfig does not say that PATCH is supported")
		}
	}
	v.expect(ctx, 200, remedy, "GET", "/ResourceTypes", nil)
	a, ok := v.expect(ctx, 200, remedy, "GET", "/Schemas", nil)
	if !ok {
		return
	}
	var paths, ids []string
	schemas, _ := a.Document()["Resources"].([]any)
	for _, s := range schemas {
		schema, _ := s.(map[string]any)
		id, _ := schema["id"].(string)
		ids = append(ids, id)
		switch id {
		case UserSchema:
			paths = append(paths, Flatten(schema, "")...)
		case GroupSchema:
		default:
			paths = append(paths, Flatten(schema, id+":")...)
		}
		if word := misspelt(schema); word != "" {
			v.fail(Discovery, "Write the keywords as RFC 7643, 7 has them: multiValued, caseExact, subAttributes, canonicalValues.", "the schema %s has the keyword %s", id, word)
		}
	}
	for _, id := range []string{UserSchema, GroupSchema} {
		if !slices.Contains(ids, id) {
			v.fail(Discovery, "Publish it.", "/Schemas lacks %s", id)
		}
	}
	for _, path := range []string{"userName", "active", "displayName", "name.givenName", "name.familyName", `emails[type eq "work"].value`} {
		if !slices.Contains(paths, path) {
			v.warn(Discovery, "Whoever lets Entra discover the schema cannot map it.", "%s cannot be found by what /Schemas says", path)
		}
	}
}

// misspelt finds a keyword of an attribute that stands in another case than that of the
// standard, which Microsoft's reader does not find then.
func misspelt(value any) string {
	words := []string{"multiValued", "caseExact", "subAttributes", "canonicalValues", "referenceTypes", "mutability", "returned", "uniqueness", "required"}
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, name) }); i >= 0 && words[i] != name {
				return name
			}
			if word := misspelt(member); word != "" {
				return word
			}
		}
	case []any:
		for _, element := range v {
			if word := misspelt(element); word != "" {
				return word
			}
		}
	}
	return ""
}

func checkLocations(ctx context.Context, v *visit) {
	a, ok := v.ask(ctx, "GET", "/ServiceProviderConfig", nil)
	if !ok {
		return
	}
	meta, _ := a.Document()["meta"].(map[string]any)
	if location, _ := meta["location"].(string); location != "" && !strings.HasPrefix(location, v.c.Base.String()+"/") {
		v.warn(Location, "Set PUBLIC_URL to the address that the world uses, and let the proxy hand the path on unchanged.", "it calls itself %s", location)
	}
}

func checkRate(ctx context.Context, v *visit) {
	var wg sync.WaitGroup
	answers := make([]Answer, v.o.Lookups)
	for i := range v.o.Lookups {
		wg.Go(func() {
			answers[i], _ = v.c.Send(ctx, "GET", Query("/Users", "filter", "userName eq "+Quote(GUID())), nil)
		})
		select {
		case <-time.After(time.Second / Rate):
		case <-ctx.Done():
		}
	}
	wg.Wait()
	for _, a := range answers {
		if a.Took > v.slowest.Took {
			v.slowest = a
		}
		if a.Status == 429 {
			v.fail(Throttled, "Exempt this path from limits below 25 requests a second for each job, with bursts of 100.", "%d look-ups a second are too many for it", Rate)
		} else if a.Status != 200 {
			v.fail(Blocked, "", "of %d look-ups, %d a second, one is answered %d", v.o.Lookups, Rate, a.Status)
		}
	}
}

func checkSpeed(_ context.Context, v *visit) {
	a := v.slowest
	const remedy = "Look at the log of the server and at the load of the database."
	switch {
	case a.Took > v.o.TooSlow:
		v.fail(Slow, remedy, "%s %s took %s", a.Method, clip(a.Target, 60), a.Took.Round(time.Millisecond))
	case a.Took > v.o.Slow:
		v.warn(Slow, remedy, "%s %s took %s", a.Method, clip(a.Target, 60), a.Took.Round(time.Millisecond))
	}
}
