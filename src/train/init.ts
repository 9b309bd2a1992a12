import type { HostRecord } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { type HostVariables, type LoadReport, loadVariables } from "../encoders/index.ts";
import { checkFinite, readWeights, weightsPath } from "../inference/index.ts";
import type { HostState } from "../frameworks/index.ts";

/** What became of the arrays of a weights file, for encoder and head together. */
export type Loaded = LoadReport & { readonly path: string };

type WrongShape = LoadReport["wrongShape"][number];

/** `conv1.weight is [64, 3, 7, 7] in the file, here [64, 3, 3, 3]`. */
const describeShapes = ({ name, expected, found }: WrongShape): string =>
  `${name} is [${found.join(", ")}] in the file, here [${expected.join(", ")}]`;

/** Takes over what fits by name; the arrays of the records are replaced. */
function load(target: HostVariables, source: HostRecord): LoadReport {
  const { variables, report } = loadVariables(target, source);
  Object.assign(target.parameters, variables.parameters);
  Object.assign(target.statistics, variables.statistics);
  return report;
}

function nothingFits(path: string, own: HostRecord, source: HostRecord, report: LoadReport): never {
  const wrong = report.wrongShape.at(0);
  const [theirs = "nothing"] = Object.keys(source);
  const why =
    wrong === undefined
      ? `the encoder has ${Object.keys(own)[0]} and the file ${theirs}`
      : describeShapes(wrong);
  throw new ConfigError(
    `init: no array of ${quoted(path)} fits the encoder: ${why}`,
    "choose the encoder, width and blocks that the weights were made with",
  );
}

/**
 * Starts from given weights: whatever has a name and shape of the encoder or head is taken, in the state
 * itself and in its averaged and momentum copies. Names are torchvision's; prefixes as wrappers leave them
 * (`module.`, `encoder_q.`, `backbone.`) are looked through.
 */
export async function initialise(state: HostState, from: string): Promise<Loaded> {
  const path = weightsPath(from);
  const { arrays } = await readWeights(path);
  checkFinite(arrays, `init: ${quoted(path)}`);
  for (const copy of [state.average, state.key]) {
    if (copy === undefined) continue;
    load(copy.encoder, arrays);
    load(copy.head, arrays);
  }
  const [encoder, head] = [load(state.encoder, arrays), load(state.head, arrays)];
  const { parameters } = state.encoder;
  if (!encoder.loaded.some((name) => name in parameters)) {
    nothingFits(path, parameters, arrays, encoder);
  }
  return {
    path,
    loaded: [...encoder.loaded, ...head.loaded],
    missing: [...encoder.missing, ...head.missing],
    wrongShape: [...encoder.wrongShape, ...head.wrongShape],
    unexpected: encoder.unexpected.filter((name) => head.unexpected.includes(name)),
    wrappers: [...new Set([...encoder.wrappers, ...head.wrappers])],
  };
}

/** Where only the first layer of a residual net differs, because views of up to 64 px have a small one. */
function stemHint(wrong: readonly WrongShape[]): string {
  const first = wrong.find(({ name }) => name === "conv1.weight");
  if (first?.found[3] !== 7 || first.expected[3] === 7) return "";
  return " (--set encoder.stem=standard makes the first layer that the file has)";
}

/** Says what was and what was not loaded. */
export function describeLoaded(loaded: Loaded): string {
  const { path, missing, wrongShape, unexpected, wrappers } = loaded;
  const names = (list: readonly string[]) =>
    list.slice(0, 4).join(", ") + (list.length > 4 ? ` and ${list.length - 4} more` : "");
  const shapes = names(wrongShape.map(describeShapes)) + stemHint(wrongShape);
  const through = wrappers.map((wrapper) => quoted(wrapper));
  const parts = [
    `init       ${loaded.loaded.length} arrays from ${path}`,
    wrappers.length > 0 ? `looked through ${names(through)} in front of names` : "",
    missing.length > 0 ? `not in the file, drawn anew: ${names(missing)}` : "",
    wrongShape.length > 0 ? `of another shape, drawn anew: ${shapes}` : "",
    unexpected.length > 0 ? `in the file, not used: ${names(unexpected)}` : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}
