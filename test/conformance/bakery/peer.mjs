// An independent reader and baker of Open Badges 2.0 pictures, of a published package.
//
//   node peer.mjs extract PICTURE            prints what is baked into it
//   node peer.mjs bake PICTURE ASSERTION     bakes a hosted assertion into an SVG and prints that
import { readFile } from 'node:fs/promises';
import bakery from 'openbadges-bakery';
// Its way through streams no longer works on current Node.js when it bakes; this part does.
import svg from 'openbadges-bakery/lib/svg.js';

const [command, picture, assertion] = process.argv.slice(2);
const image = await readFile(picture);

function done(error, result) {
  if (error) {
    console.error(error.message);
    process.exit(1);
  }
  process.stdout.write(typeof result === 'string' || Buffer.isBuffer(result) ? result : JSON.stringify(result));
}

if (command === 'extract') {
  bakery.extract(image, done);
} else if (command === 'bake') {
  const document = JSON.parse(await readFile(assertion, 'utf8'));
  svg.bake({ image, url: document.id, assertion: document }, done);
} else {
  console.error('say extract or bake');
  process.exit(2);
}
