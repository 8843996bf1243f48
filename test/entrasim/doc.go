// Package entrasim is a Microsoft Entra to test against: authority, signing
// keys, sign-in, tokens and Graph of one tenant, on loopback addresses and for
// one test.
//
// New starts it; the server under test reaches it by ENTRA_AUTHORITY and
// GRAPH_URL (Env has all its settings). It checks what Entra checks (registered
// redirect URIs, PKCE, client secrets and assertions, codes that work once,
// audience and permissions at Graph) and answers in Entra's shapes, so a client
// that is wrong fails here too. The user who signs in is chosen by the test
// (SignIn, login_hint), or in a real browser by a button (WithAccountPicker).
//
// Whatever Entra never does is done on request: MintDelegated, MintAppOnly,
// MintID and MintAssertion take overrides for every claim and header, Sign signs
// anything, keys come and go (Rotate, AddKey, Activate, Retire, NewKey), and
// every endpoint can be made to fail (Fail, FailNext) and counts its calls
// (Calls). An address that nobody may call is served at ElsewhereURL and counts
// too.
//
// Times come from WithClock; nothing here waits. Values are invented, the shapes
// are those of Entra's documentation. What is not there: refresh tokens, consent,
// device and implicit flow, personal accounts, more than one tenant.
package entrasim
