// A folder of images with planted duplicates: copies that were resized, recompressed, brightened, cropped, mirrored, or
// edited further.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";

import sharp from "sharp";

import { randomStream } from "../dist/core/index.js";

/** What a copy differs by. */
export const changes = {
  same: (image) => image,
  smaller: (image, { width }) => image.resize({ width: Math.round(width * 0.6) }),
  recompressed: (image) => image,
  brighter: (image) => image.modulate({ brightness: 1.2, saturation: 0.85 }),
  cropped: (image, { width, height }) =>
    image.extract({
      left: Math.round(width * 0.06),
      top: Math.round(height * 0.04),
      width: Math.round(width * 0.88),
      height: Math.round(height * 0.9),
    }),
  mirrored: (image) => image.flop(),
};

/** What a copy differs by that was edited and shared again, most of which the views of a training do not make. */
export const edits = {
  framed: (image, { width, height }) => {
    const edge = (share) => Math.max(1, Math.round(share * Math.min(width, height)));
    const sides = { top: edge(0.08), bottom: edge(0.16), left: edge(0.08), right: edge(0.08) };
    return image.extend({ ...sides, background: "#ffffff" });
  },
  stamped: (image, { width, height }) => {
    const [w, h] = [Math.round(width * 0.5), Math.round(height * 0.16)];
    const bar = { create: { width: w, height: h, channels: 3, background: "#d01818" } };
    return image.composite([{ input: bar, left: width - w, top: height - h }]);
  },
  faded: (image) => image.linear(0.55, 90),
  inverted: (image) => image.negate({ alpha: false }),
  turned: (image) => image.rotate(90),
  blurred: (image, { width }) => image.blur(Math.max(0.4, width / 40)),
};
const kinds = { ...changes, ...edits };

const quality = { recompressed: 35 };

function filesIn(folder, below = "") {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(below, entry.name);
      return entry.isDirectory() ? filesIn(folder, path) : [path];
    });
}

/**
 * Copies images into `out` with `share` of them also changed, `copies` times each in one of the ways of `by`, and returns
 * the true groups of paths. `first` changes that many images instead of a share. `broken` adds that share of files that
 * cannot be decoded.
 */
export async function plant(
  folder,
  out,
  { share = 0.2, first, copies = 2, broken = 0, seed = 0, by = changes } = {},
) {
  const stream = randomStream(seed, "planted");
  const names = Object.keys(by);
  const groups = [];
  const files = filesIn(folder).filter((path) => /\.(jpe?g|png|webp)$/i.test(path));
  for (const [at, path] of files.entries()) {
    const source = sharp(join(folder, path));
    const size = await source.metadata();
    const write = async (to, kind) => {
      mkdirSync(dirname(join(out, to)), { recursive: true });
      const changed = kinds[kind](source.clone(), size);
      await changed.jpeg({ quality: quality[kind] ?? 92 }).toFile(join(out, to));
      return { path: to, kind };
    };
    const stem = path.slice(0, -extname(path).length);
    const members = [await write(`${stem}.jpg`, "same")];
    const isChosen = first === undefined ? stream.uniform(0, 1) < share : at < first;
    const planted = isChosen ? copies : 0;
    for (let i = 0; i < planted; i++) {
      const kind = names[stream.integer(names.length)];
      members.push(await write(`${stem}~${i}-${kind}.jpg`, kind));
    }
    groups.push(members);
  }
  for (let i = 0; i < Math.round(broken * files.length); i++) {
    const kind = ["notes.jpg", "cut.png", "empty.webp"][i % 3];
    writeFileSync(join(out, `${i}-${basename(kind)}`), i % 3 === 2 ? "" : "\x89PNG no picture");
  }
  return groups;
}

/** Pairs of members of a group, as texts. */
export function pairsOf(groups) {
  return groups.flatMap((group) =>
    group.flatMap((a, i) => group.slice(i + 1).map((b) => [a, b].sort().join(" = "))),
  );
}

/** Precision and recall of found groups of paths against true ones, by pairs. */
export function score(found, truth) {
  const [theirs, ours] = [new Set(pairsOf(truth)), pairsOf(found)];
  const right = ours.filter((pair) => theirs.has(pair)).length;
  return {
    pairs: theirs.size,
    precision: ours.length === 0 ? 1 : right / ours.length,
    recall: theirs.size === 0 ? 1 : right / theirs.size,
  };
}

const SIDE = 32;

/** Writes the first `count` records of a CIFAR-10 file as images, a folder a label by batches.meta.txt beside it. */
export async function unpack(file, out, count) {
  const bytes = readFileSync(file);
  const names = readFileSync(join(dirname(file), "batches.meta.txt"), "utf8").split("\n");
  const pixels = SIDE * SIDE;
  const record = 1 + 3 * pixels;
  for (let i = 0; i < Math.min(count, bytes.length / record); i++) {
    const [label, ...planes] = bytes.subarray(i * record, (i + 1) * record);
    const rgb = Uint8Array.from(planes, (_, at) => planes[(at % 3) * pixels + Math.floor(at / 3)]);
    const folder = join(out, names[label]);
    mkdirSync(folder, { recursive: true });
    const raw = { width: SIDE, height: SIDE, channels: 3 };
    await sharp(rgb, { raw })
      .png()
      .toFile(join(folder, `${i}.png`));
  }
}
