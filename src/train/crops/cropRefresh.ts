import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import type { Network } from "../../encoders/index.ts";
import { noMaps, openActivations } from "../../inference/index.ts";
import type { Framework, HostState } from "../../frameworks/index.ts";
import {
  boxFromActivation,
  type Boxes,
  cropsWithBoxes,
  meanArea,
  restrictedShare,
  setBox,
  type ViewPolicy,
  wholeBoxes,
} from "../../views/index.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { TrainingData } from "../dataset.ts";
import type { CropRecord } from "../events.ts";
import { datasetBoxes } from "./objectBoxes.ts";
import { exportedEncoder } from "../session.ts";

/** Share of crops below which boxes are said to restrict nothing. */
const FEW = 0.1;

/** What boxes are made with. */
export type BoxMaker = {
  readonly config: RunConfig;
  readonly framework: Framework;
  readonly data: TrainingData;
};

const byEncoder = (policy: ViewPolicy): boolean =>
  policy.crop.boxes === "encoder" && cropsWithBoxes(policy).length > 0;

/** Says before training what would make contrastive crops impossible. */
export function checkCrops(policy: ViewPolicy, encoder: Network, data: TrainingData): void {
  if (cropsWithBoxes(policy).length === 0) return;
  if (byEncoder(policy)) {
    if (encoder.maps === undefined) throw noMaps(encoder);
  } else if (datasetBoxes(data) === undefined) {
    throw new ConfigError(
      `views.crop.boxes is dataset, but no image of ${quoted(data.path)} has a box`,
      "leave it out: the encoder then finds boxes itself",
    );
  }
}

/** Boxes to start a run with: those of the dataset where the policy wants them, else none. */
export function firstBoxes(policy: ViewPolicy, data: TrainingData): Boxes | undefined {
  const wanted = policy.crop.boxes === "dataset" && cropsWithBoxes(policy).length > 0;
  return wanted ? datasetBoxes(data) : undefined;
}

/**
 * Whether boxes are made anew once so many epochs are done: at the end of the warm-up, then at intervals,
 * never at the end of the run. Warm-up and interval are shares of the epochs, rounded to whole epochs.
 */
export function isRefreshDue(epoch: number, policy: ViewPolicy, epochs: number): boolean {
  if (!byEncoder(policy)) return false;
  const warmup = Math.round(policy.crop.warmup * epochs);
  const interval = Math.max(1, Math.round(policy.crop.interval * epochs));
  return epoch >= Math.max(1, warmup) && epoch < epochs && (epoch - warmup) % interval === 0;
}

/** Boxes of all images, where the encoder of a state is most active, and the side of the maps they are of. */
async function boxesOf(
  { config, framework, data }: BoxMaker,
  state: HostState,
): Promise<{ boxes: Boxes; side: number }> {
  const { imageSize, views, device, threads } = config;
  const format = { imageSize, mean: views.mean, std: views.std };
  const encoder = exportedEncoder(state);
  const where = { device, threads };
  const activations = await openActivations(framework.encoder, encoder, format, where);
  const { data: maps, side } = await activations
    .maps(encoder, data)
    .finally(() => activations.dispose());
  const boxes = wholeBoxes(data.count);
  const grid = { threshold: views.crop.threshold, height: imageSize, width: imageSize };
  for (let image = 0; image < data.count; image++) {
    const values = maps.subarray(image * side * side, (image + 1) * side * side);
    setBox(boxes, image, boxFromActivation({ values, height: side, width: side }, grid).box);
  }
  return { boxes, side };
}

/** Makes boxes anew after an epoch; `record` describes them. */
export async function refreshCrops(
  maker: BoxMaker,
  at: { state: HostState; step: number; elapsedSeconds: number },
  epoch: number,
): Promise<{ boxes: Boxes; record: CropRecord }> {
  const { config, data } = maker;
  const start = performance.now();
  const { boxes, side } = await boxesOf(maker, at.state);
  const seconds = (performance.now() - start) / 1000;
  const [crop] = cropsWithBoxes(config.views);
  const restricted = restrictedShare(boxes, data.pixels, crop, config.seed);
  const record: CropRecord = {
    kind: "crops",
    epoch,
    step: at.step,
    mapSide: side,
    boxArea: meanArea(boxes),
    restrictedShare: restricted,
    imagesPerSecond: Number((data.count / seconds).toFixed(1)),
    elapsedSeconds: Number(at.elapsedSeconds.toFixed(3)),
  };
  return { boxes, record };
}

const percent = (value: number) => `${(100 * value).toFixed(1)} %`;

/** What boxes do, with a warning where that is next to nothing; `smaller` says what makes them smaller. */
function effect(boxArea: number, share: number, smaller: string): string {
  const found = `hold ${percent(boxArea)} of an image and restrict ${percent(share)} of the crops`;
  return share >= FEW ? found : `${found}, next to nothing: ${smaller}`;
}

/** The record in a sentence. */
export function describeRefresh(record: CropRecord, { threshold }: ViewPolicy["crop"]): string {
  const { epoch, mapSide, boxArea, restrictedShare: share, imagesPerSecond } = record;
  const how = `${Math.round(imagesPerSecond)} images/s, maps of ${mapSide} × ${mapSide}`;
  const smaller = `views.crop.threshold above ${threshold} makes boxes smaller`;
  return `crops      boxes after epoch ${epoch} (${how}) ${effect(boxArea, share, smaller)}`;
}

/** What there is to say of crops before training: of the dataset's boxes, or that there never will be any. */
export function describeStart({ config, data }: Pick<BoxMaker, "config" | "data">) {
  const { views, epochs, seed } = config;
  const boxes = firstBoxes(views, data);
  if (boxes !== undefined) {
    const share = restrictedShare(boxes, data.pixels, cropsWithBoxes(views)[0], seed);
    const smaller = "objects fill their images";
    return `crops      boxes of the dataset ${effect(meanArea(boxes), share, smaller)}`;
  }
  const numbers = Array.from({ length: epochs }, (_, i) => i);
  if (!byEncoder(views) || numbers.some((epoch) => isRefreshDue(epoch, views, epochs))) {
    return undefined;
  }
  return `crops      all are random ones: with epochs ${epochs} and views.crop.warmup ${views.crop.warmup} the encoder never makes boxes`;
}
