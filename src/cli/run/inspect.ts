import { join } from "node:path";

import { DataError } from "../../core/errors.ts";
import { frameworkNamed } from "../../frameworks/index.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { harmless } from "../../core/quote.ts";
import { encodeWebp, resizeImage } from "../../data/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import type { Images } from "../../inference/index.ts";
import {
  type InspectData,
  type PageImage,
  type PagePair,
  renderInspect,
  type ShareBox,
} from "../../report/index.ts";
import {
  existingRun,
  type InspectedAnchor,
  type InspectedPair,
  type InspectedStep,
  inspectRun,
  type RunConfig,
  runConfig,
} from "../../train/index.ts";
import { picturesOf } from "../../views/index.ts";
import { columns, count, counted, percent } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { cacheFor, openWithProgress } from "../common/images.ts";
import { runPagePath } from "../common/resultPage.ts";
import { valueReader } from "../common/values.ts";

const SIDE = 96;

const uri = (bytes: Uint8Array) =>
  `data:image/webp;base64,${Buffer.from(bytes).toString("base64")}`;

const own = (image: PixelImage): PixelImage => ({ ...image, data: image.data.slice() });

/** The whole image, its longer side at most `SIDE` pixels. */
async function small(image: PixelImage): Promise<PixelImage> {
  const scale = SIDE / Math.max(image.width, image.height);
  if (scale >= 1) return image;
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return resizeImage(image, side(image.width), side(image.height));
}

type Shown = NonNullable<InspectedPair["shown"]>;

/** Makes the pictures of a page, each image once. */
function pictureMaker(images: Images, config: RunConfig) {
  const seen = new Map<number, PageImage>();
  const draw = picturesOf(config.views);
  return {
    seen,
    async add(image: number): Promise<PageImage> {
      const known = seen.get(image);
      if (known !== undefined) return known;
      const pixels = own(images.image(image));
      const label = images.labels?.[image] ?? -1;
      const made: PageImage = {
        source: uri(await encodeWebp(await small(pixels), 75)),
        aspect: pixels.width / pixels.height,
        path: images.idOf(image),
        ...(label < 0 ? {} : { label: images.classes?.[label] ?? String(label) }),
      };
      seen.set(image, made);
      return made;
    },
    async view(step: InspectedStep, { row }: Shown): Promise<string | undefined> {
      const view = step.views.get(row);
      if (view === undefined) return undefined;
      const picture = draw(own(images.image(view.source)), view.parameters);
      return uri(await encodeWebp(picture, 80));
    },
    /** Crop and box of a view as shares of its image. */
    boxes({ crop, box }: Shown, image: number): { crop: ShareBox; box?: ShareBox } {
      const { width, height } = images.image(image);
      const share = {
        left: crop.x / width,
        top: crop.y / height,
        width: crop.width / width,
        height: crop.height / height,
      };
      if (box === null) return { crop: share };
      const { left, top, right, bottom } = box;
      return { crop: share, box: { left, top, width: right - left, height: bottom - top } };
    },
  };
}
type Pictures = ReturnType<typeof pictureMaker>;

/** Labels are judged aloud where something is wrong, or where a sampler was right to act. */
function shownVerdict({ verdict, role, reasons }: InspectedPair): PagePair["verdict"] {
  const acted = role === "none" || (role === "positive" && !reasons.includes("kept"));
  return verdict === "wrong" || acted ? verdict : undefined;
}

async function pagePair(
  pictures: Pictures,
  step: InspectedStep,
  pair: InspectedPair,
): Promise<PagePair> {
  const { candidate, parents, shown, similarity, weight, force, rank, reasons, role } = pair;
  for (const one of [candidate, parents?.first, parents?.second]) {
    if (one) await pictures.add(one.image);
  }
  const drawn = shown && candidate ? pictures.boxes(shown, candidate.image) : {};
  const rendered = shown && role === "positive" ? await pictures.view(step, shown) : undefined;
  return {
    image: candidate?.image ?? null,
    similarity,
    weight,
    force,
    rank,
    reasons,
    ...drawn,
    rendered,
    verdict: shownVerdict(pair),
    parents: parents && {
      first: parents.first?.image ?? null,
      second: parents.second?.image ?? null,
      share: parents.share,
    },
  };
}

async function pageAnchor(
  pictures: Pictures,
  step: InspectedStep,
  anchor: InspectedAnchor,
  spaces: number,
) {
  const { image, view, space, loss, candidates, leftOut, counts, shown } = anchor;
  await pictures.add(image);
  const all = async (pairs: readonly InspectedPair[]) => {
    const made: PagePair[] = [];
    for (const pair of pairs) made.push(await pagePair(pictures, step, pair));
    return made;
  };
  return {
    image,
    view,
    loss,
    candidates,
    leftOut,
    counts,
    ...(spaces > 1 ? { space } : {}),
    ...(shown
      ? { ...pictures.boxes(shown, image), rendered: await pictures.view(step, shown) }
      : {}),
    positives: await all(anchor.positives),
    negatives: await all(anchor.negatives),
    mixtures: await all(anchor.mixtures),
    changed: await all(anchor.changed),
  };
}

function methodInWords({ method, framework, samplers, mixer, loss }: RunConfig): string {
  const chain = [...samplers, ...(mixer ? [mixer] : [])].map(({ name }) => name);
  const through = chain.length === 0 ? "" : `, through ${chain.join(", ")}`;
  return `${method}: ${framework.name}${through}, loss ${loss.name}`;
}

async function pageData(
  run: string,
  config: RunConfig,
  images: Images,
  steps: readonly InspectedStep[],
): Promise<InspectData> {
  const pictures = pictureMaker(images, config);
  const spaces = new Set(steps.flatMap(({ anchors }) => anchors.map(({ space }) => space))).size;
  const made: InspectData["steps"][number][] = [];
  for (const step of steps) {
    const anchors = [];
    for (const anchor of step.anchors) {
      anchors.push(await pageAnchor(pictures, step, anchor, spaces));
    }
    made.push({ step: step.step, epoch: step.epoch, reasons: step.reasons, anchors });
  }
  return {
    run,
    method: methodInWords(config),
    labelled: images.labels !== undefined,
    images: pictures.seen,
    steps: made,
  };
}

function sayStep({ step, epoch, reasons, anchors }: InspectedStep, call: Call): void {
  const say = (text?: string) => call.printer.say(text);
  const judged = reasons.some((reason) => reason.judged > 0);
  say();
  say(`step ${count(step)}, epoch ${count(epoch + 1)}, ${counted(anchors.length, "anchor")}`);
  const rows = reasons.map(({ reason, pairs, judged: known, wrong }) => [
    `  ${reason}`,
    count(pairs),
    ...(judged ? [known === 0 ? "" : percent(wrong / known)] : []),
  ]);
  const head = ["  what happened", "pairs", ...(judged ? ["wrong by label"] : [])];
  columns([head, ...rows]).forEach((line) => say(line));
}

/** What an anchor was held against: an image, or both that are mixed. */
function candidateName({ candidate, parents }: InspectedAnchor["changed"][number]): string {
  if (candidate) return candidate.path;
  const names = parents && [parents.first, parents.second].map((image) => image?.path ?? "?");
  return names?.join(" + ") ?? "?";
}

function sayAnchor(anchor: InspectedAnchor, call: Call): void {
  const say = (text?: string) => call.printer.say(text);
  say();
  say(
    `${harmless(anchor.path)}${anchor.label === undefined ? "" : ` (${harmless(anchor.label)})`}, step ${count(anchor.step)}, loss ${anchor.loss.toFixed(3)}`,
  );
  for (const [title, pairs] of [
    ["pulled towards", anchor.positives],
    ["pushed from", anchor.negatives],
    ["mixtures", anchor.mixtures],
    ["taken out", anchor.changed],
  ] as const) {
    if (pairs.length === 0) continue;
    const rows = pairs
      .slice(0, 8)
      .map((pair) => [
        `  ${harmless(candidateName(pair))}`,
        pair.similarity.toFixed(3),
        count(pair.rank),
        pair.force.toExponential(1),
        pair.reasons.join(", "),
        pair.verdict === "wrong" ? "wrong by label" : "",
      ]);
    columns([[`  ${title}`, "cosine", "rank", "force", "reason", ""], ...rows]).forEach((line) =>
      say(line),
    );
  }
}

/** Refuses runs whose method has no pairs. */
function checkPairs({ framework: { name, ...options } }: RunConfig): void {
  const without = frameworkNamed(name)?.withoutPairs?.(options);
  if (without === undefined) return;
  throw new DataError(`inspect: the run has no pairs, ${without.why}`, without.hint);
}

const answerOf = (steps: readonly InspectedStep[]) =>
  steps.map(({ step, epoch, reasons, anchors }) => ({ step, epoch, reasons, anchors }));

/** Shows what was recorded of a run: a summary, a page, and with --json the pairs themselves. */
export async function runInspect(call: Call): Promise<Answer> {
  const values = valueReader("inspect", call.options);
  const step = values.number("step", { whole: true, least: 0 });
  const top = values.number("top", { whole: true, least: 1 }) ?? 24;
  values.check();
  const folder = existingRun(call.words[0]);
  const path = runPagePath("inspect", join(folder.path, "inspect.html"), call);
  const config = runConfig(folder.path);
  checkPairs(config);
  const data = values.text("data") ?? config.data;
  const { imageSize, split, labels } = config;
  const cache = cacheFor(call, folder.path);
  const images = await openWithProgress(data, cache, call, { imageSize, split, labels });
  try {
    const anchor = values.text("anchor");
    const steps = await inspectRun(folder.pairs, images, { anchor, step, top });
    await writeFileAtomic(path, renderInspect(await pageData(folder.path, config, images, steps)));
    for (const found of steps) {
      if (anchor === undefined) sayStep(found, call);
      else found.anchors.forEach((one) => sayAnchor(one, call));
    }
    call.printer.say();
    call.printer.say(`page       ${path}, a page that needs nothing else`);
    call.printer.say(`pairs      ${folder.pairs}, Parquet`);
    return { run: folder.path, page: path, steps: answerOf(steps) };
  } finally {
    images.close();
  }
}
