// How does the time of the search for copies grow with the number of pictures? Unrelated cuts of photos, 48 px wide and high, are
// searched; processor time of this process, the drawing of the cuts and what is read of each beside it.
// npm run build && node bench/copies.mjs --images FOLDER [--counts 5000,10000,20000,40000] [--seed 0]
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import sharp from "sharp";

import { randomStream } from "../dist/core/index.js";
import { findCopies, openGallery } from "../dist/data/alike/copies/findCopies.js";

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    counts: { type: "string", default: "5000,10000,20000,40000" },
    seed: { type: "string", default: "0" },
  },
});
if (values.images === undefined) {
  console.error("node bench/copies.mjs --images FOLDER");
  process.exit(2);
}

const PHOTO = 96; // pixels
const CUT = 48;
const files = readdirSync(values.images, { recursive: true })
  .filter((path) => /\.(jpe?g|png|webp)$/i.test(path))
  .sort();
const photos = [];
for (const file of files) {
  const photo = sharp(join(values.images, file)).resize(PHOTO, PHOTO, { fit: "fill" });
  photos.push(await photo.toColourspace("srgb").removeAlpha().raw().toBuffer());
}

function cut(photo, left, top) {
  const data = new Uint8Array(CUT * CUT * 3);
  for (let y = 0; y < CUT; y++) {
    const from = 3 * ((top + y) * PHOTO + left);
    data.set(photo.subarray(from, from + 3 * CUT), 3 * y * CUT);
  }
  return { width: CUT, height: CUT, channels: 3, data };
}

function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

console.log(`${photos.length} photos\n`);
console.log("| pictures | portraits, s | search, s | search, ms a picture | links |");
console.log("| --- | --- | --- | --- | --- |");
for (const count of values.counts.split(",").map(Number)) {
  const stream = randomStream(Number(values.seed), "cuts");
  const place = () => stream.integer(PHOTO - CUT + 1);
  const places = Array.from({ length: count }, () => [place(), place()]);
  const read = (i) => cut(photos[i % photos.length], ...places[i]);
  const started = processorSeconds();
  const gallery = openGallery({ count, read }, "normal");
  for (const i of places.keys()) gallery.portraitOf(i);
  const drawn = processorSeconds();
  const links = await findCopies(gallery, [...places.keys()]);
  const [portraits, search] = [drawn - started, processorSeconds() - drawn];
  console.log(
    `| ${count} | ${portraits.toFixed(1)} | ${search.toFixed(1)} | ${((1000 * search) / count).toFixed(2)} | ${links.length} |`,
  );
}
