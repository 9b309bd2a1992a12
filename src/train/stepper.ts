import { type HostArray, hostArray, type HostRecord, type HostTree } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import {
  compile,
  type CompileOptions,
  type Program,
  type SpecTree,
  type TracedFunction,
} from "../engine/index.ts";
import {
  asHostState,
  asHostTree,
  cachedExamples,
  type CachedName,
  type CachedRunners,
  embedCached,
  type EmbeddedBatch,
  finishCached,
  type Framework,
  type HostState,
  type LoadedBatch,
  microBatchesOf,
  recycleCached,
  rowsOf,
  type StepAt,
} from "../frameworks/index.ts";
import { alone, type Ranks } from "../ranks/index.ts";
import type { Boxes } from "../views/index.ts";
import type { RunConfig } from "../config/schema.ts";

/** The state after a step and what was measured in it. */
export type Stepped = { state: HostState; figures: Record<string, number> };

type Choices = Record<string, string>;
type At = StepAt;

/** Runs training steps: one compiled program, or several with micro-batches. */
export type Stepper = {
  /** One step. The state given is read, never changed. */
  step(state: HostState, batch: LoadedBatch, at: At): Promise<Stepped>;
  /** Embeddings of a batch by the model of a state, where the step is cut into micro-batches; the step reads them too. */
  embedded?(state: HostState, batch: LoadedBatch, at: At): Promise<EmbeddedBatch["embedded"]>;
  /** Rows of the views that this process needs of a batch, where others have the rest. */
  readonly rows?: Int32Array | undefined;
  /** Tells the other ranks from which step on batches are made, for how many epochs and with which boxes of crops. */
  batchesFrom?(step: number, epochs: number, boxes: Boxes | undefined): Promise<void>;
  /** Throws where the state of another rank is not this one, which is that of the last step. */
  agree?(state: HostState): Promise<void>;
  /** Gives back a state that nobody reads any more. */
  recycle(state: HostState): void;
  /** Ways to compute that were chosen by timing; with them another sitting repeats this one. */
  choices(): Record<string, string>;
  dispose(): Promise<void>;
};

/** Where programs run. */
export type Target = {
  device: string;
  threads: number;
  /** Ways to compute that an earlier sitting chose: the same ways give the same bits. False for fixed ones. */
  tune?: CompileOptions["tune"];
  timing?: CompileOptions["timing"];
};

/** Where the programs of a run are compiled, in the ways that it chose before where it has. */
export function targetOf(
  { device, threads, tune }: Pick<RunConfig, "device" | "threads" | "tune">,
  chosen?: Target["tune"],
): Target {
  return { device, threads, tune: tune === "off" ? false : chosen };
}

/** Scalars of a program's result as numbers. */
export function numbersOf(tree: HostTree): Record<string, number> {
  const entries = Object.entries(tree) as [string, HostArray][];
  return Object.fromEntries(entries.map(([name, { data }]) => [name, data[0]]));
}

async function wholeStepper(
  framework: Framework,
  state: HostState,
  target: Target,
): Promise<Stepper> {
  const example = [asHostTree(state), framework.batchSpec] as SpecTree[];
  const program = await compile(framework.step, example, target);
  return {
    async step(before, batch, at) {
      const result = await program.run(asHostTree(before), framework.batch(batch, at));
      const [after, measured] = result as [HostTree, HostTree];
      const figures = framework.figures(numbersOf(measured));
      program.recycle(measured);
      return { state: asHostState(after), figures };
    },
    recycle: (done) => program.recycle(asHostTree(done)),
    choices: () => ({ ...program.choices }),
    dispose: () => program.dispose(),
  };
}

/** A batch of nothing, for the shapes of what is beside its views. */
function blankBatch({ batchSpec, batchSize }: Framework): LoadedBatch {
  const { crops } = batchSpec;
  const marks = new Int32Array(batchSize);
  return {
    views: new Float32Array(0),
    ids: marks,
    groups: marks,
    ...(crops && { crops: () => new Float32Array(crops.shape[0] * crops.shape[1]) }),
  };
}

/** Rows of the views that a rank needs of a batch, ascending; undefined where there is one rank. */
function rowsOfRank({ count, rows }: ReturnType<Framework["cached"]>, ranks: Ranks) {
  if (ranks.size === 1) return undefined;
  const needed = microBatchesOf(count, ranks).flatMap((index) => {
    const { queries, keys } = rows(index);
    return [...queries.views, ...(keys?.views ?? [])];
  });
  return Int32Array.from(new Set(needed)).sort();
}

async function cachedStepper(
  framework: Framework,
  state: HostState,
  count: number,
  { target, ranks }: { target: Target; ranks: Ranks },
): Promise<Stepper> {
  const programs = framework.cached(count);
  const [, ...view] = framework.batchSpec.views.shape;
  const nowhere = { learningRate: 0, step: 0, progress: 0 };
  const blank: HostRecord = framework.beside(blankBatch(framework), nowhere);
  const examples = cachedExamples(programs, state, blank, view);
  const compiled: Partial<Record<CachedName, Program>> = {};
  for (const name of Object.keys(examples) as CachedName[]) {
    compiled[name] = await compile(programs[name] as TracedFunction, examples[name]!, target);
  }
  const run = compiled as CachedRunners;
  const all = Object.values(compiled);
  const width = view.reduce((product, side) => product * side, 1);
  const viewsOf = ({ views, places }: LoadedBatch) => {
    const held = hostArray("float32", [views.length / width, ...view], views as never);
    return (rows: Int32Array) =>
      rowsOf(held, places === undefined ? rows : rows.map((row) => places[row]));
  };
  let ahead: { state: HostState; step: number; embedded: EmbeddedBatch } | undefined;
  const embed = async (before: HostState, batch: LoadedBatch, { step }: At) => {
    const known = ahead;
    ahead = undefined;
    if (known?.state === before && known.step === step) return known.embedded;
    return embedCached(run, programs, before, viewsOf(batch), ranks);
  };
  return {
    rows: rowsOfRank(programs, ranks),
    async step(before, batch, at) {
      const embedded = await embed(before, batch, at);
      const step = { beside: framework.beside(batch, at), views: viewsOf(batch), embedded };
      const [after, measured] = await finishCached(run, programs, before, step, ranks);
      return { state: after, figures: framework.figures(numbersOf(measured)) };
    },
    async embedded(before, batch, at) {
      ahead = { state: before, step: at.step, embedded: await embed(before, batch, at) };
      return ahead.embedded.embedded;
    },
    recycle: (done) => recycleCached(run, done),
    choices: () => Object.assign({}, ...all.map(({ choices }) => choices)) as Choices,
    dispose: async () => void (await Promise.all(all.map((program) => program.dispose()))),
  };
}

/** How many micro-batches a batch is taken in; undefined where it is taken whole. */
function microBatchCount(
  { batchSize, microBatch }: { batchSize: number; microBatch?: number | undefined },
  ranks: Pick<Ranks, "size">,
): number | undefined {
  if (microBatch === undefined || microBatch >= batchSize) {
    if (ranks.size === 1) return undefined;
    throw new ConfigError(
      `microBatch: the run takes each batch of ${batchSize} whole, which is work for one process, there are ${ranks.size} ranks`,
      `a run that begins over ranks is given micro-batches; in one process --micro-batch does that`,
    );
  }
  if (batchSize % microBatch !== 0) {
    throw new ConfigError(
      `microBatch is ${microBatch}, expected a divisor of batchSize ${batchSize}`,
    );
  }
  return batchSize / microBatch;
}

/** Compiles a framework's step; with `microBatch` images at a time where that is given, shared among ranks. */
export async function openStepper(
  framework: Framework,
  state: HostState,
  batch: { batchSize: number; microBatch?: number | undefined },
  target: Target,
  ranks: Ranks = alone,
): Promise<Stepper> {
  const count = microBatchCount(batch, ranks);
  if (count === undefined) return wholeStepper(framework, state, target);
  return cachedStepper(framework, state, count, { target, ranks });
}
