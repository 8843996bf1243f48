// An independent canonicalizer, made of published packages: RDFC-1.0 and SHA-256 over the
// strict expansion of each document.
//
//   node canonize.mjs FILE CONTEXTS   prints the SHA-256 of the canonical form of each line of FILE, or what was wrong
//                                     with it; CONTEXTS is an object from URLs to contexts
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import jsonld from 'jsonld';
import * as canonize from 'rdf-canonize';

const known = new Map(Object.entries(JSON.parse(await readFile(process.argv[3], 'utf8'))));

async function documentLoader(url) {
  if (known.has(url)) {
    return { contextUrl: null, documentUrl: url, document: known.get(url), tag: 'static' };
  }
  throw new Error(`not known here: ${url}`);
}

for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
  let answer;
  try {
    const dataset = await jsonld.toRDF(JSON.parse(line), { documentLoader, safe: true, base: null });
    const text = await canonize.canonize(dataset, { algorithm: 'RDFC-1.0', maxWorkFactor: Infinity });
    answer = createHash('sha256').update(text).digest('hex');
  } catch (e) {
    answer = 'error: ' + String(e.message).replaceAll('\n', ' ');
  }
  process.stdout.write(answer + '\n');
}
