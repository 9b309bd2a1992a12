// Folders of images with planted duplicates: copies that were resized, recompressed, brightened, cropped, mirrored, or
// edited further; or bursts, in which one thing is photographed many times while hand and light wander.
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

const brightened = (by) => (image) => image.linear(by, 0);

/** A line of text over the middle of a picture, three quarters of its width. */
function mark({ width, height }) {
  const size = Math.round(0.75 * Math.min(width, height) * 0.16);
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><text x="50%" y="55%" font-family="sans-serif" font-weight="bold" font-size="${size}" fill="#fff" fill-opacity="0.6" text-anchor="middle">© Sample Photo</text></svg>`,
  );
}

/** Ten kinds of copies as they turn up in collections. */
export const copyKinds = {
  resized: (image, { width }) => image.resize({ width: Math.round(0.5 * width) }),
  "JPEG 30": (image) => image,
  brighter: brightened(1.3),
  darker: brightened(0.65),
  watermarked: (image, size) => image.composite([{ input: mark(size) }]),
  grey: (image) => image.greyscale(),
  "cropped to 80 %": (image, { width, height }) =>
    image.extract({
      left: Math.round(0.13 * width),
      top: Math.round(0.05 * height),
      width: Math.round(0.8 * width),
      height: Math.round(0.8 * height),
    }),
  mirrored: (image) => image.flop(),
  "turned 90°": (image) => image.rotate(90),
  "with a border": (image, { width, height }) => {
    const edge = Math.round(0.08 * Math.min(width, height));
    const sides = { top: edge, bottom: edge, left: edge, right: edge };
    return image.extend({ ...sides, background: "#000000" });
  },
};

const quality = { recompressed: 35, "JPEG 30": 30 };

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
      const changed = { same: changes.same, ...by }[kind](source.clone(), size);
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

/** Writes the first `most` images of a folder into `out`, enlarged to a shorter side of `side` pixels, as JPEG. */
export async function enlarge(folder, out, side, most) {
  const files = filesIn(folder).filter((path) => /\.(jpe?g|png|webp)$/i.test(path));
  for (const path of files.slice(0, most)) {
    const to = join(out, `${path.slice(0, -extname(path).length)}.jpg`);
    mkdirSync(dirname(to), { recursive: true });
    const large = sharp(join(folder, path)).resize(side, side, { fit: "outside" });
    await large.jpeg({ quality: 90 }).toFile(to);
  }
}

/** What wanders within a burst, and how far: degrees, shares of the photo, factors. */
const wander = {
  angle: [-60, 60],
  zoom: [0.75, 1.5],
  across: [-0.2, 0.2],
  down: [-0.2, 0.2],
  brightness: [0.6, 1.5],
  saturation: [0.5, 1.5],
  red: [0.8, 1.25],
  blue: [0.8, 1.25],
};
const PHOTO = 96; // px
const FRAME = 64; // px

const each = (of) => Object.fromEntries(Object.keys(wander).map((name) => [name, of(name)]));

/** A photo with a mirrored border so wide that every frame lies within it. */
async function surroundings(file) {
  const photo = { width: PHOTO, height: PHOTO, fit: "cover" };
  const whole = await sharp(file).rotate().removeAlpha().resize(photo).png().toBuffer();
  const border = { top: PHOTO, bottom: PHOTO, left: PHOTO, right: PHOTO, extendWith: "mirror" };
  return sharp(whole).extend(border).png().toBuffer();
}

async function frameOf(around, at) {
  const turned = await sharp(around).rotate(at.angle).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = turned.info;
  const side = Math.round(PHOTO * at.zoom);
  const place = {
    left: Math.round((width - side) / 2 + at.across * PHOTO),
    top: Math.round((height - side) / 2 + at.down * PHOTO),
  };
  return sharp(turned.data, { raw: { width, height, channels } })
    .extract({ ...place, width: side, height: side })
    .resize(FRAME, FRAME)
    .modulate({ brightness: at.brightness, saturation: at.saturation })
    .linear([at.red, 1, at.blue], [0, 0, 0])
    .jpeg({ quality: 88 });
}

/**
 * Photographs things in bursts: `things` photos of `folder`, spread evenly over it, each `bursts` times, `frames` at
 * least and at most a burst. A burst wanders from a place to a second and on to a third. Writes a folder a thing, and
 * returns for each the paths of its frames.
 */
export async function shoot(folder, out, { things, bursts = 1, frames, seed = 0 }) {
  const stream = randomStream(seed, "bursts");
  const files = filesIn(folder).filter((path) => /\.(jpe?g|png|webp)$/i.test(path));
  if (files.length < things) {
    throw new Error(
      `${folder} has ${files.length} photos, expected one for each of ${things} things`,
    );
  }
  const draw = () => each((name) => stream.uniform(...wander[name]));
  const groups = [];
  for (let thing = 0; thing < things; thing++) {
    const around = await surroundings(
      join(folder, files[Math.floor((thing * files.length) / things)]),
    );
    const name = `thing${String(thing).padStart(3, "0")}`;
    mkdirSync(join(out, name), { recursive: true });
    const paths = [];
    for (let burst = 0; burst < bursts; burst++) {
      const places = [draw(), draw(), draw()];
      const length = frames.least + stream.integer(frames.most - frames.least + 1);
      for (let frame = 0; frame < length; frame++) {
        const way = length === 1 ? 0 : (2 * frame) / (length - 1);
        const [from, to] = way < 1 ? places : places.slice(1);
        const share = way < 1 ? way : way - 1;
        const at = each((key) => from[key] + share * (to[key] - from[key]));
        const path = join(name, `${burst}-${String(frame).padStart(3, "0")}.jpg`);
        await (await frameOf(around, at)).toFile(join(out, path));
        paths.push({ path });
      }
    }
    groups.push(paths);
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
  const [theirs, ours] = [new Set(pairsOf(truth)), [...new Set(pairsOf(found))]];
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
