import type { HostArray, HostRecord, HostTree } from "../core/arrays.ts";
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
  type CachedRunners,
  embedCached,
  type Framework,
  type HostState,
  type LoadedBatch,
  microBatch,
  runCached,
  type StepAt,
} from "../frameworks/index.ts";
import type { RunConfig } from "../config/schema.ts";

/** The state after a step and what was measured in it. */
export type Stepped = { state: HostState; figures: Record<string, number> };

type Choices = Record<string, string>;
type At = StepAt;

/** Runs training steps: one compiled program, or four of them with micro-batches. */
export type Stepper = {
  /** One step. The state given is read, never changed. */
  step(state: HostState, batch: LoadedBatch, at: At): Promise<Stepped>;
  /** Embeddings [V·B, E] of a batch by the model of a state, where the step is cut into micro-batches. */
  embeddings?(state: HostState, batch: HostRecord): Promise<HostArray>;
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

async function cachedStepper(
  framework: Framework,
  state: HostState,
  count: number,
  target: Target,
): Promise<Stepper> {
  const programs = framework.cached!(count);
  const nothing: LoadedBatch = {
    views: new Float32Array(0),
    ids: new Int32Array(0),
    groups: new Int32Array(0),
  };
  for (const [name, spec] of Object.entries(framework.batchSpec)) {
    const size = spec.shape.reduce((product, side) => product * side, 1);
    if (name === "views") nothing.views = new Float32Array(size);
    if (name === "ids") nothing.ids = new Int32Array(size);
    if (name === "groups") nothing.groups = new Int32Array(size);
    if (name === "crops") nothing.crops = () => new Float32Array(size);
  }
  const blank: HostRecord = framework.batch(nothing, { learningRate: 0, step: 0, progress: 0 });
  const { dimension } = framework.head;
  const examples = cachedExamples(state, blank, { count, dimension });
  const compiled: Program[] = [];
  const open = async (name: keyof CachedRunners) => {
    const program = await compile(programs[name] as TracedFunction, examples[name], target);
    compiled.push(program);
    return (...args: HostTree[]) => program.run(...args);
  };
  const run: CachedRunners = {
    embed: await open("embed"),
    contrast: await open("contrast"),
    backward: await open("backward"),
    apply: await open("apply"),
  };
  return {
    async step(before, batch, at) {
      const [after, measured] = await runCached(run, count, before, framework.batch(batch, at));
      return { state: after, figures: framework.figures(numbersOf(measured)) };
    },
    embeddings: (state, { views }) => {
      const images = Array.from({ length: count }, (_, i) => microBatch(views, count, i));
      return embedCached(run, state, images);
    },
    recycle: (done) => compiled[3].recycle(asHostTree(done)),
    choices: () => Object.assign({}, ...compiled.map(({ choices }) => choices)) as Choices,
    dispose: async () => void (await Promise.all(compiled.map((program) => program.dispose()))),
  };
}

/** Compiles a framework's step; with `microBatch` images at a time where that is given. */
export async function openStepper(
  framework: Framework,
  state: HostState,
  batch: { batchSize: number; microBatch?: number | undefined },
  target: Target,
): Promise<Stepper> {
  const { batchSize, microBatch } = batch;
  if (microBatch === undefined || microBatch >= batchSize) {
    return wholeStepper(framework, state, target);
  }
  if (framework.cached === undefined) {
    throw new ConfigError(
      `microBatch: ${framework.name} takes each batch whole, expected no microBatch`,
      "leave it out, or use a smaller batch size",
    );
  }
  if (batchSize % microBatch !== 0) {
    throw new ConfigError(
      `microBatch is ${microBatch}, expected a divisor of batchSize ${batchSize}`,
    );
  }
  return cachedStepper(framework, state, batchSize / microBatch, target);
}
