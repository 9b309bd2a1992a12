import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { HostRecord } from "../core/arrays.ts";
import {
  adapterFor,
  type FeatureFile,
  fillVariables,
  type FixedEncoder,
  fixedEncoder,
  keepImages,
  type KeepOptions,
  keepRows,
  loadEncoder,
  type LoadedEncoder,
  openFeatures,
  START,
  viewPairRows,
} from "../inference/index.ts";
import type { Features } from "../metrics/index.ts";
import type { Plan, Seen } from "./plan.ts";
import type { Part } from "./split.ts";

/** The file of the pretrained encoder that a run began with, from the path of weights of the run. */
export function startBeside(path: string): string | undefined {
  const places = [dirname(path), join(dirname(path), "..", "..")].map((at) => join(at, START));
  return places.find((place) => existsSync(place));
}

/** Path of the start of a run where it is no longer there, from the path of weights of the run. */
export function missingStart(path: string): string | undefined {
  const run = join(dirname(path), "..", "..");
  if (startBeside(path) !== undefined || !existsSync(join(run, "config.json"))) return undefined;
  try {
    const config: unknown = JSON.parse(readFileSync(join(run, "config.json"), "utf8"));
    const begun = typeof config === "object" && config !== null && "start" in config;
    return begun ? join(run, START) : undefined;
  } catch {
    return undefined; // of something else
  }
}

const holds = (arrays: HostRecord, own: HostRecord): boolean =>
  Object.entries(own).every(([name, { data }]) => {
    const other = arrays[name]?.data;
    return other?.length === data.length && data.every((value, i) => value === other[i]);
  });

/** The pretrained encoder that a run left as it was behind an adapter; undefined where there is none. */
async function frozenBody({ path, description, variables }: LoadedEncoder) {
  const found = startBeside(path);
  if (found === undefined || description.adapter === undefined) return undefined;
  const body = await loadEncoder(found);
  const same =
    body.description.adapter === undefined &&
    holds(variables.parameters, body.variables.parameters) &&
    holds(variables.statistics, body.variables.statistics);
  return same ? fixedEncoder(body) : undefined;
}

function rowsOf(file: FeatureFile, indices?: Int32Array): Features {
  const { dimension } = file;
  const count = indices?.length ?? file.count;
  const data = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) file.read(indices?.[row] ?? row, data, row * dimension);
  file.close();
  return { data, count, dimension };
}

/** What a pretrained encoder sees of the images of a plan, computed where it is not kept. */
async function seenOf(
  encoder: FixedEncoder,
  { split, policy, seed, aligned, options }: Plan,
  place: string,
): Promise<Seen> {
  const keeping: KeepOptions = {
    encoder,
    place,
    threads: options.threads,
    signal: options.signal,
    compiling: () => undefined,
    progress: (what, done, total) => options.progress?.(`features of a ${what}`, done, total),
    note: () => undefined,
  };
  const { train, test } = split;
  const of = async ({ images, indices }: Part) =>
    rowsOf(await keepImages(keeping, images), indices);
  const pairs = await keepRows(keeping, test.images, {
    rows: () => viewPairRows(test.images, policy, seed, aligned),
    facts: { pairs: { ...policy, count: 2 }, seed, aligned: [...aligned] },
    what: "view",
  });
  return { trained: await of(train), tested: await of(test), pairs: rowsOf(pairs) };
}

/**
 * What a run with a frozen body sees, and what its start does, by features that are kept in a folder: the body is asked
 * once for all runs. Undefined of other encoders.
 */
export async function keptSight(loaded: LoadedEncoder, plan: Plan, place: string) {
  const body = await frozenBody(loaded);
  if (body === undefined) return undefined;
  const { path, description, variables } = loaded;
  const network = adapterFor(description.adapter!, body.network.dimension);
  const adapter = fillVariables(path, network, {
    ...variables.parameters,
    ...variables.statistics,
  });
  const start = await seenOf(body, plan, place);
  const { device, threads } = plan.options;
  const embedder = await openFeatures(network, adapter, description, { device, threads });
  const adapted = async ({ data, count, dimension }: Features): Promise<Features> => ({
    data: await embedder.embed(adapter, {
      count,
      fill: (row, out, offset) =>
        out.set(data.subarray(row * dimension, (row + 1) * dimension), offset),
    }),
    count,
    dimension: embedder.dimension,
  });
  try {
    const [trained, tested] = [await adapted(start.trained), await adapted(start.tested)];
    return { start, own: { trained, tested, pairs: await adapted(start.pairs) } };
  } finally {
    await embedder.dispose();
  }
}
