import {
  flattenTree,
  type HostArray,
  hostArray,
  type HostRecord,
  type HostTree,
  mapTree,
  sizeOf,
  zeros,
} from "../../core/arrays.ts";
import { alone, type Ranks } from "../../ranks/ranks.ts";
import { upTo } from "../judge/contrast.ts";
import type { CachedPrograms, Embedded } from "./gradientCache.ts";
import { withSampling } from "./model.ts";
import { asHostState, type HostModel, type HostState } from "./state.ts";

/** A program compiled: it takes and gives trees of arrays outside, and takes back what nobody reads any more. */
export type Runner = { run(...args: HostTree[]): Promise<HostTree>; recycle(tree: HostTree): void };

/** Programs that every step has, and those of an encoder of keys. */
type Needed = "embed" | "contrast" | "backward" | "apply";
export type CachedName = Needed | "follow" | "embedKeys";
type OfPrograms<T> = Record<Needed, T> & Partial<Record<CachedName, T>>;

/** The programs of a step, compiled. */
export type CachedRunners = OfPrograms<Runner>;

/** Views of a step in the rows [V·B] that are asked for. */
export type ViewsOf = (rows: Int32Array) => HostArray;

/** One process of those that share a step, or one by itself. */
export type Sharing = Pick<Ranks, "rank" | "size" | "allGather" | "allReduceSum">;

const modelOf = ({ encoder, head }: HostModel): HostModel => ({ encoder, head });

type Side = "parameters" | "statistics";
const sideOf = ({ encoder, head }: HostModel, side: Side) => ({
  encoder: encoder[side],
  head: head[side],
});

/** What `apply` moves. */
const trained = ({ encoder, head, optimiser, average }: HostState): HostTree => ({
  encoder,
  head,
  optimiser,
  ...(average && { average }),
});

const isRate = (name: string): boolean => name === "learningRate" || name === "bodyRate";

/** A batch as the contrast sees it. */
const withoutRates = (beside: HostRecord): HostRecord =>
  Object.fromEntries(Object.entries(beside).filter(([name]) => !isRate(name)));

const ratesOf = (beside: HostRecord): HostRecord =>
  Object.fromEntries(Object.entries(beside).filter(([name]) => isRate(name)));

/** Arrays of the shapes of what a micro-batch changes. */
const changeOf = (state: HostState): HostTree => ({
  gradient: sideOf(state, "parameters"),
  statistics: sideOf(state, "statistics"),
});

/**
 * Arguments of the right shapes with which to compile each program.
 *
 * @param beside the arrays of a step beside its views
 * @param view shape of one view
 */
export function cachedExamples(
  { count, dimension, rows }: CachedPrograms,
  state: HostState,
  beside: HostRecord,
  view: readonly number[],
): OfPrograms<HostTree[]> {
  const { queries, keys } = rows(0);
  const [n, k] = [queries.views.length, keys?.views.length ?? 0];
  const all = (perPart: number) => zeros([perPart * count, dimension]);
  const embedded: HostTree = { queries: all(n), ...(keys && { keys: all(k) }) };
  return {
    embed: [modelOf(state), zeros([n, ...view])],
    ...(state.key && {
      follow: [sideOf(state.key, "parameters"), sideOf(state, "parameters")],
      embedKeys: [modelOf(state.key), zeros([k, ...view])],
    }),
    contrast: [embedded, withoutRates(beside), state.memory ?? {}, state.sampling ?? {}],
    backward: [modelOf(state), zeros([n, ...view]), zeros([n, dimension])],
    apply: [trained(state), changeOf(state), ratesOf(beside)],
  };
}

/** Rows of an array, one after the other. */
export function rowsOf({ data, shape }: HostArray, rows: Int32Array): HostArray {
  const [, ...rest] = shape;
  const width = sizeOf(rest);
  const part = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    part.set((data as Float32Array).subarray(row * width, (row + 1) * width), i * width);
  });
  return hostArray("float32", [rows.length, ...rest], part);
}

/** Micro-batches of a rank of R: i mod R. */
export const microBatchesOf = (
  count: number,
  { rank, size }: Pick<Ranks, "rank" | "size">,
): number[] => upTo(count).filter((i) => i % size === rank);

/** Rows of all micro-batches in their places [rows, E], of which each rank has those of its own. */
async function gathered(
  own: readonly HostArray[],
  places: readonly Int32Array[],
  width: number,
  ranks: Sharing,
): Promise<HostArray> {
  const flat = new Float32Array(own.reduce((sum, { data }) => sum + data.length, 0));
  let end = 0;
  for (const { data } of own) {
    flat.set(data, end);
    end += data.length;
  }
  const all = await ranks.allGather(new Uint8Array(flat.buffer));
  const rows = places.reduce((sum, each) => sum + each.length, 0);
  const whole = new Float32Array(rows * width);
  all.forEach((bytes, rank) => {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    let from = 0;
    for (const index of microBatchesOf(places.length, { rank, size: all.length })) {
      for (const place of places[index]) {
        whole.set(values.subarray(from, from + width), place * width);
        from += width;
      }
    }
  });
  return hostArray("float32", [rows, width], whole);
}

/** What a micro-batch gives to a sum; `done` is called once it is copied. */
type Given = { tree: HostTree; done: () => void };

/** Copies a tree into one array; those below `statistics` by the share `weight`, of which the sum is a mean. */
function pack({ tree, done }: Given, into: Float32Array, weight: number): void {
  let at = 0;
  for (const [path, { data }] of flattenTree(tree)) {
    if (path.startsWith("statistics/")) {
      for (let i = 0; i < data.length; i++) into[at + i] = Number(data[i]) * weight;
    } else into.set(data, at);
    at += data.length;
  }
  done();
}

/**
 * The sum over all micro-batches of what each gives, in the shapes of `template`, the mean of `statistics`: added in the order of micro-batches,
 * whatever rank they are of. While it is added, a rank goes on with its next micro-batch.
 */
async function summed(
  template: HostTree,
  count: number,
  given: (index: number) => Promise<Given>,
  ranks: Sharing,
): Promise<HostTree> {
  const size = flattenTree(template).reduce((total, [, { data }]) => total + data.length, 0);
  const sum = new Float32Array(size);
  const several = count > ranks.size;
  const buffers = [new Float32Array(size), new Float32Array(several ? size : 0)];
  const weight = Math.fround(1 / count);
  let adding: Promise<void> = Promise.resolve();
  for (let first = 0, turn = 0; first < count; first += ranks.size, turn ^= 1) {
    const values = buffers[turn];
    const index = first + ranks.rank;
    if (index < count) pack(await given(index), values, weight);
    else values.fill(0); // adds nothing
    await adding;
    if (size > 0) adding = ranks.allReduceSum(sum, values);
    adding.catch(() => undefined); // it is waited for
  }
  await adding;
  let at = 0;
  return mapTree(template, ({ shape, data }) =>
    hostArray("float32", shape, sum.subarray(at, (at += data.length))),
  );
}

/** All embeddings of a batch, and what the encoder of keys became on the way. */
export type EmbeddedBatch = { embedded: Embedded<HostArray>; key?: HostModel };

/** The first half of a step: the embeddings of a whole batch, of which each rank encodes its micro-batches. */
export async function embedCached(
  run: CachedRunners,
  { count, dimension, rows, fixed }: CachedPrograms,
  state: HostState,
  views: ViewsOf,
  ranks: Sharing = alone,
): Promise<EmbeddedBatch> {
  const parts = upTo(count).map(rows);
  const model: HostTree = modelOf(state);
  const own: HostArray[] = [];
  for (const i of microBatchesOf(count, ranks)) {
    own.push((await run.embed.run(model, views(parts[i].queries.views))) as HostArray);
  }
  const places = parts.map(({ queries }) => queries.places);
  const queries = await gathered(own, places, dimension, ranks);
  run.embed.recycle([...own]);
  const { follow, embedKeys } = run;
  if (follow === undefined || embedKeys === undefined || state.key === undefined) {
    return { embedded: { queries } };
  }
  const parameters = (await follow.run(
    sideOf(state.key, "parameters"),
    sideOf(state, "parameters"),
  )) as Record<"encoder" | "head", HostRecord>;
  const keyOf = ({ encoder, head }: Record<"encoder" | "head", HostRecord>): HostModel => ({
    encoder: { parameters: parameters.encoder, statistics: encoder },
    head: { parameters: parameters.head, statistics: head },
  });
  const before = sideOf(state.key, "statistics");
  const keys: HostArray[] = [];
  const mean = (await summed(
    { statistics: before },
    count,
    async (index) => {
      const result = await embedKeys.run(keyOf(before), views(parts[index].keys!.views));
      const { keys: part, statistics } = result as { keys: HostArray; statistics: HostTree };
      keys.push(part);
      return { tree: { statistics }, done: () => embedKeys.recycle(statistics) };
    },
    ranks,
  )) as { statistics: Record<"encoder" | "head", HostRecord> };
  const keyPlaces = parts.map((part) => part.keys!.places);
  const all = await gathered(keys, keyPlaces, dimension, ranks);
  embedKeys.recycle([...keys]);
  const settled = (side: "encoder" | "head") => ({
    ...mean.statistics[side],
    ...Object.fromEntries(fixed[side].map((name) => [name, before[side][name]])), // no mean of equal ones has other bits
  });
  const key = keyOf({ encoder: settled("encoder"), head: settled("head") });
  return { embedded: { queries, keys: all }, key };
}

/** The second half of a step: what follows from its embeddings, and the way along the gradient. */
export async function finishCached(
  run: CachedRunners,
  { count, rows }: CachedPrograms,
  state: HostState,
  step: { beside: HostRecord; views: ViewsOf; embedded: EmbeddedBatch },
  ranks: Sharing = alone,
): Promise<[HostState, HostRecord]> {
  const { beside, views } = step;
  const { embedded, key } = step.embedded;
  const { slope, metrics, sampling, memory } = (await run.contrast.run(
    { ...embedded },
    withoutRates(beside),
    state.memory ?? {},
    state.sampling ?? {},
  )) as { slope: HostArray } & Record<"metrics" | "sampling" | "memory", HostRecord>;
  const model: HostTree = modelOf(state);
  const change = await summed(
    changeOf(state),
    count,
    async (index) => {
      const { queries } = rows(index);
      const part = rowsOf(slope, queries.places);
      const tree = await run.backward.run(model, views(queries.views), part);
      return { tree, done: () => run.backward.recycle(tree) };
    },
    ranks,
  );
  const [moved, norm] = (await run.apply.run(trained(state), change, ratesOf(beside))) as [
    HostTree,
    HostRecord,
  ];
  run.contrast.recycle(slope);
  const next = { ...asHostState(moved), ...(key && { key }), ...(state.memory && { memory }) };
  return [withSampling(next, sampling), { ...metrics, ...norm }];
}

/** Gives a state that nobody reads any more back to the programs that made it. */
export function recycleCached(run: CachedRunners, state: HostState): void {
  run.apply.recycle(trained(state));
  run.contrast.recycle({ ...state.memory, ...state.sampling });
  if (state.key !== undefined) run.follow?.recycle(sideOf(state.key, "parameters"));
}
