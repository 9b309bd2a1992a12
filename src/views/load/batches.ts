import type { PixelImage, PixelSource } from "../../core/pixels.ts";
import { permutation, randomStream } from "../../core/random.ts";
import { openPixels } from "../../files/pixels.ts";
import { boxAt } from "../crop/boxes.ts";
import type { Boxes } from "../crop/boxes.ts";
import type { Box, Size } from "../crop/crop.ts";
import { otherImage } from "../falsePositives.ts";
import { drawImageViews } from "../imageViews.ts";
import type { OtherImage } from "../imageViews.ts";
import { packParameters, PACKED_PARAMETERS } from "./packedParameters.ts";
import type { ViewParameters } from "../parameters.ts";
import type { ViewPolicy } from "../policy.ts";
import { createRenderer } from "../draw/render.ts";

/** What decides the contents of every batch. */
export type BatchPlan = {
  readonly source: PixelSource;
  readonly policy: ViewPolicy;
  readonly seed: number;
  readonly batchSize: number; // images, B
  readonly boxes?: Boxes | undefined; // of all images, for crop policies that look at them
  readonly rows?: Int32Array | undefined; // of the views that are made, ascending; by default all
};

/** Memory of one batch of V views of B images; row v · B + b is view v of image b. */
export type Slot = {
  readonly views: Float32Array; // [V · B, 3, S, S], or those of the plan's rows
  readonly parameters: Float64Array; // [V · B, PACKED_PARAMETERS]
  readonly ids: Int32Array; // [B]
  readonly groups: Int32Array; // [B]
  readonly sources: Int32Array; // [V · B], the images that the views are made of
};

/** Memory for one batch: shared between threads, or ordinary. */
export function createSlot(
  { policy, batchSize, rows: held }: BatchPlan,
  Memory: typeof SharedArrayBuffer | typeof ArrayBuffer,
): Slot {
  const rows = policy.count * batchSize;
  const values = (held?.length ?? rows) * 3 * policy.size * policy.size;
  return {
    views: new Float32Array(new Memory(4 * values)),
    parameters: new Float64Array(new Memory(8 * rows * PACKED_PARAMETERS)),
    ids: new Int32Array(new Memory(4 * batchSize)),
    groups: new Int32Array(new Memory(4 * batchSize)),
    sources: new Int32Array(new Memory(4 * rows)),
  };
}

/** Where each row [V · B] is among the rows that are made; −1 where it is not, undefined where all are. */
export function placesOf(rows: Int32Array | undefined, all: number): Int32Array | undefined {
  if (rows === undefined) return undefined;
  const places = new Int32Array(all).fill(-1);
  rows.forEach((row, place) => (places[row] = place));
  return places;
}

/** Copies a batch from one slot to another of the same plan. */
export function copySlot(from: Slot, to: Slot): void {
  to.views.set(from.views);
  to.parameters.set(from.parameters);
  to.ids.set(from.ids);
  to.groups.set(from.groups);
  to.sources.set(from.sources);
}

/** Batches of an epoch; images left over at its end wait for another epoch. */
export function batchesPerEpoch(count: number, batchSize: number): number {
  return Math.floor(count / batchSize);
}

/** The order in which an epoch goes through the images. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return permutation(randomStream(seed, "order", epoch), count);
}

/** Makes rows `from` … `to` − 1 of batch `batch`, counted from the first batch of epoch 0. */
export type FillRows = (batch: number, rows: { from: number; to: number }, slot: Slot) => void;

/** Draws how the views of an image of the source are made in an epoch, and of which images. */
export function viewsDrawer({ source, policy, seed, boxes }: Omit<BatchPlan, "batchSize">) {
  const sizeOf = (image: number): Size => ({
    width: source.widths[image],
    height: source.heights[image],
  });
  const boxOf = (image: number): Box | undefined => boxes && boxAt(boxes, image);
  return (epoch: number, image: number): ViewParameters[] => {
    const place = { seed, epoch, image };
    const other = (view: number): OtherImage | undefined => {
      const id = otherImage(policy, place, view, source.count);
      return id === undefined ? undefined : { id, size: sizeOf(id), box: boxOf(id) };
    };
    return drawImageViews(policy, place, sizeOf(image), { box: boxOf(image), other });
  };
}

/** What makes batches in one thread; the same plan gives the same batches in any thread. */
export function createFiller(plan: BatchPlan): { fill: FillRows; close: () => void } {
  const { source, policy, seed, batchSize } = plan;
  const reader = openPixels(source);
  const render = createRenderer(policy);
  const draw = viewsDrawer(plan);
  const perEpoch = batchesPerEpoch(source.count, batchSize);
  const values = 3 * policy.size * policy.size;
  const places = placesOf(plan.rows, policy.count * batchSize);
  const orders = new Map<number, Uint32Array>();
  const orderOf = (epoch: number): Uint32Array => {
    const known = orders.get(epoch);
    if (known !== undefined) return known;
    if (orders.size >= 2) orders.delete(Math.min(...orders.keys())); // look-ahead spans two
    const order = epochOrder(seed, epoch, source.count);
    orders.set(epoch, order);
    return order;
  };
  const fill: FillRows = (batch, rows, slot) => {
    const epoch = Math.floor(batch / perEpoch);
    const first = (batch - epoch * perEpoch) * batchSize;
    const order = orderOf(epoch);
    for (let b = rows.from; b < rows.to; b++) {
      const image = order[first + b];
      let shown = -1; // the image that `pixels` are of
      let pixels: PixelImage | undefined;
      slot.ids[b] = image;
      slot.groups[b] = source.groups === undefined ? image : source.groups[image];
      draw(epoch, image).forEach((parameters, view) => {
        const row = view * batchSize + b;
        slot.sources[row] = parameters.source ?? image;
        packParameters(parameters, slot.parameters, row * PACKED_PARAMETERS);
        const place = places === undefined ? row : places[row];
        if (place < 0) return; // another process makes it
        if (slot.sources[row] !== shown) pixels = reader.image((shown = slot.sources[row]));
        render(pixels!, parameters, slot.views, place * values);
      });
    }
  };
  return { fill, close: () => reader.close() };
}
