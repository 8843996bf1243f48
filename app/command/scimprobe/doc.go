// Package scimprobe knocks at a SCIM server from outside, as the provisioning
// service of Microsoft Entra does, and says what that service would stumble over:
// in the server, and in the proxies, certificates and firewalls in front of it.
//
// It is for the command line (badge-engine scim probe) and for the tests below
// test/, which send with its [Client] and judge every answer by [Faults]. It shares
// no code with the server, so that a mistake cannot be made on both sides, and knows
// no other package of this program. The operator names the address, so private and
// loopback addresses may be asked; redirects are never followed, since the token
// would go along, and at most a few MiB of an answer are read.
//
// Without [Options.Write] it only reads, looks up what has never existed, and tries to
// change and to delete what has never existed. With it, it creates users and a
// group of its own, which bear its mark, and deletes them again.
//
// Standards: RFC 7643 and 7644 (SCIM 2.0), RFC 6750 (Bearer Tokens), and what
// Microsoft documents of the provisioning service.
package scimprobe
