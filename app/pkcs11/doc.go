// Command pkcs11 keeps the signing keys of Badge Engine in a hardware module, by PKCS #11
// 2.40 or later. The server runs it, as KEY_VAULT_COMMAND says, and speaks to it in the
// words of package platform/vault; people do not.
//
// It is a program of its own because the library of a module is loaded by cgo, which
// the server does without. It takes from its environment
//
//	PKCS11_MODULE     the library of the module, such as /usr/lib/softhsm/libsofthsm2.so
//	PKCS11_TOKEN      the label of the token
//	PKCS11_PIN        the PIN of its user, or
//	PKCS11_PIN_FILE   the file that holds it
//
// Private keys are made in the module, as sensitive and not extractable, and never leave
// it.
package main
