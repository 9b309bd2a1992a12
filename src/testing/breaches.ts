import { type HostTree, isHostArray } from "../core/arrays.ts";
import type { Definition } from "../core/catalogue.ts";
import { compile } from "../engine/index.ts";
import { evaluate } from "./arrays.ts";

/** Sentences of what breaks a contract. */
export type Breaches = {
  readonly found: string[];
  /** Notes the sentence unless it holds; one that was noted is not noted again. */
  readonly must: (holds: boolean, sentence: string) => void;
};

export function breaches(): Breaches {
  const found: string[] = [];
  return {
    found,
    must(holds, sentence) {
      if (!holds && !found.includes(sentence)) found.push(sentence);
    },
  };
}

/** Elements of all arrays of a tree, in the order of their names. */
export function elements(tree: HostTree): number[] {
  if (isHostArray(tree)) return Array.from(tree.data);
  return Object.entries(tree)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, inner]) => elements(inner));
}

/** Whether two trees hold the same numbers, each to `tolerance` of the larger one or of 1. */
export function isClose(one: HostTree, other: HostTree, tolerance = 1e-5): boolean {
  const [a, b] = [elements(one), elements(other)];
  const near = (x: number, y: number) =>
    Object.is(x, y) || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x), Math.abs(y));
  return a.length === b.length && a.every((x, i) => near(x, b[i]));
}

type Traced = (...args: never[]) => unknown;

/** What a function gives on ONNX Runtime. */
export async function onRuntime(f: Traced, ...args: HostTree[]): Promise<HostTree> {
  const program = await compile(f, args, { device: "cpu" });
  const result = await program.run(...args);
  await program.dispose();
  return result;
}

/**
 * That a function gives the same twice, on ONNX Runtime as on jax-js, and in float64. Returns what it gives on jax-js in
 * float32.
 */
export async function checkDevices(
  { must }: Breaches,
  f: Traced,
  args: HostTree[],
  precise: HostTree[],
): Promise<HostTree> {
  const given = await evaluate(f, ...args);
  must(isClose(await evaluate(f, ...args), given, 0), "the same arguments do not give the same");
  must(
    isClose(await onRuntime(f, ...args), given),
    "ONNX Runtime does not give what jax-js gives, to 1e-5",
  );
  must(
    isClose(await evaluate(f, ...precise), given),
    "float64 does not give what float32 gives, to 1e-5: constants must have the type of the arrays",
  );
  return given;
}

/** That a definition says what it is, and that its options do. */
export function checkDescription(
  { must }: Breaches,
  part: Definition & { summary: string; source: string },
  options: object,
): void {
  must(part.summary.endsWith("."), "summary is no sentence that ends in a full stop");
  must(part.source.length > 0, "source is empty");
  for (const [name, schema] of Object.entries(part.options.shape)) {
    must(Boolean(schema.description), `the option ${name} has no description`);
  }
  const { error } = part.options.safeParse(options);
  const first = error?.issues.at(0);
  must(first === undefined, `options: ${first?.path.join(".")}: ${first?.message}`);
}
