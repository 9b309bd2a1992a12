import type { HostArray, HostRecord } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import { readSafetensors } from "../files/index.ts";
import { weightsPath } from "../inference/index.ts";
import type { HostModel, HostState } from "../methods/index.ts";

/** What became of the arrays of a weights file. */
export type Loaded = {
  readonly path: string;
  readonly loaded: readonly string[];
  /** In the encoder or head, but not in the file, or there with another shape. */
  readonly fresh: readonly string[];
  /** In the file, but of no use here. */
  readonly unused: readonly string[];
};

const fits = (array: HostArray | undefined, like: HostArray): array is HostArray =>
  array?.dtype === like.dtype && array.shape.join() === like.shape.join();

/** Copies what fits by name into a record; the arrays of the record are replaced in place. */
function copyInto(target: HostRecord, source: HostRecord, note: Set<string>, fresh: Set<string>) {
  for (const [name, like] of Object.entries(target)) {
    const found = source[name] as HostArray | undefined;
    if (fits(found, like)) {
      like.data.set(found.data);
      note.add(name);
    } else fresh.add(name);
  }
}

function recordsOf({ encoder, head }: HostModel): HostRecord[] {
  return [encoder.parameters, encoder.statistics, head.parameters, head.statistics];
}

/**
 * Starts from given weights: whatever has a name and shape of the encoder or head is taken, in the state
 * itself and in its averaged and momentum copies. Names are torchvision's; a prefix as wrappers leave
 * (`module.`, `backbone.`, `encoder.`) is ignored.
 */
export async function initialise(state: HostState, from: string): Promise<Loaded> {
  const path = weightsPath(from);
  const { arrays } = await readSafetensors(path);
  const plain = (name: string) => name.replace(/^((module|backbone|encoder|model)\.)+/, "");
  const source = Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [plain(name), array]),
  );
  const [loaded, fresh] = [new Set<string>(), new Set<string>()];
  for (const model of [state, state.average, state.key]) {
    if (model === undefined) continue;
    for (const record of recordsOf(model)) copyInto(record, source, loaded, fresh);
  }
  if (![...loaded].some((name) => name in state.encoder.parameters)) {
    const [own] = Object.keys(state.encoder.parameters);
    const [theirs = "nothing"] = Object.keys(arrays);
    throw new ConfigError(
      `init: no array of ${JSON.stringify(path)} fits the encoder, which has ${own} and the file ${theirs}`,
      "choose the encoder, width and blocks that the weights were made with",
    );
  }
  const unused = Object.keys(arrays).filter((name) => !loaded.has(plain(name)));
  return { path, loaded: [...loaded], fresh: [...fresh], unused };
}

/** Says what was and what was not loaded. */
export function describeLoaded({ path, loaded, fresh, unused }: Loaded): string {
  const names = (list: readonly string[]) =>
    list.slice(0, 4).join(", ") + (list.length > 4 ? ` and ${list.length - 4} more` : "");
  const parts = [
    `init       ${loaded.length} arrays from ${path}`,
    fresh.length > 0 ? `not in the file, drawn anew: ${names(fresh)}` : "",
    unused.length > 0 ? `in the file, not used: ${names(unused)}` : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}
