import { isBodyFrozen } from "./checkStart.ts";
import { entryOf } from "../core/catalogue.ts";
import { adapters } from "../encoders/index.ts";
import type { ConfigTree, Named, RunConfig, StartFacts } from "./schema.ts";
import { overlay } from "./layers.ts";
import { isFar, type Start } from "./start.ts";

/** Writes down a choice that the config leaves open. */
export type Note = (path: string, value: string | number, reason: string) => void;

/** What choices go by of a start that has met the images. */
export type MetStart = Pick<Start, "description" | "hash" | "viewAgreement">;

/** `resnet, width 16, blocks 1,1,1`. */
export function describeNamed({ name, ...options }: Named): string {
  const parts = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`);
  return [name, ...parts].join(", ");
}

type Choice = [number, string];

/** How an adapter is trained unless something else is said: see docs/starts.md. */
const ADAPTERS = {
  near: {
    adapter: { name: "linear" },
    learningRate: [1e-3, "for adapters"] as Choice,
    epochs: [60, "for adapters"] as Choice,
  },
  far: {
    adapter: { name: "linear", standardise: true },
    learningRate: [3e-3, "for adapters far from what the start knows"] as Choice,
    epochs: [20, "for adapters far from what the start knows"] as Choice,
  },
  /** A file of some labels is given: little is learned from few, and it overfits in long runs. */
  labels: {
    adapter: { name: "residual" },
    head: { name: "none" },
    learningRate: [1e-3, "for adapters"] as Choice,
    epochs: [20, "for adapters, by some labels"] as Choice,
  },
};
const KEPT_VIEWS = 8;

/** How an adapter is trained by these settings where they do not say it. */
export const usualAdapter = ({ labels }: ConfigTree, start: MetStart) =>
  ADAPTERS[labels !== undefined ? "labels" : isFar(start) ? "far" : "near"];

/** What is unusual for a start that hardly knows the images. */
function noteFar(
  { adapter, wholeImages }: ConfigTree,
  chosen: Pick<RunConfig, "adapter" | "wholeImages">,
  { viewAgreement = 1 }: MetStart,
  note: Note,
): void {
  const agreement = `${Math.round(100 * viewAgreement)} %`;
  const why = `two views of an image are nearest to each other for ${agreement} of up to 256: far from what the start knows`;
  const given = (adapter ?? {}) as ConfigTree;
  if (given.standardise === undefined) note("adapter", describeNamed(chosen.adapter!), why);
  if (wholeImages === undefined && chosen.wholeImages) note("wholeImages", "true", why);
}

/** How a pretrained encoder itself is trained unless something else is said. */
const TRAINED_BODY = { backboneLrFactor: 0.1, layerDecay: 1, headFirst: 0.1, batchNorm: "frozen" };

function trainedBody(tree: ConfigTree, note: Note): Begun {
  const given = tree as Begun;
  const { backboneLrFactor, headFirst } = TRAINED_BODY;
  if (given.backboneLrFactor === undefined) {
    note("backboneLrFactor", backboneLrFactor, "the encoder is trained at a tenth of the rate");
  }
  if (given.headFirst === undefined) {
    note("headFirst", headFirst, "the head alone for a tenth of the run");
  }
  return Object.fromEntries(
    Object.entries(TRAINED_BODY).map(([key, value]) => [key, tree[key] ?? value]),
  );
}

/** The settings of a run that begins with a pretrained encoder; none for another. */
export function startSettings(tree: ConfigTree, start: MetStart | undefined, note: Note): Begun {
  if (start === undefined) return {};
  const encoder = start.description.encoder as Named;
  const { freeze = "body" } = tree as Pick<RunConfig, "freeze">;
  if (tree.freeze === undefined) note("freeze", freeze, "an adapter is trained behind the encoder");
  if (!isBodyFrozen(tree)) return { encoder, freeze, ...trainedBody(tree, note) };
  const given = (tree.adapter ?? {}) as ConfigTree;
  const usual = usualAdapter(tree, start);
  const name = entryOf(adapters, usual.adapter.name, given);
  const adapter = overlay({ ...usual.adapter, name }, given) as Named;
  const wholeImages = start.description.crop?.of === "whole";
  const chosen = { adapter, ...(wholeImages ? { wholeImages } : {}) };
  if (usual === ADAPTERS.far) noteFar(tree, chosen, start, note);
  const keptViews = (tree.keptViews as number | undefined) ?? KEPT_VIEWS;
  if (tree.keptViews === undefined) note("keptViews", keptViews, "of each image");
  const alone = "head" in usual && tree.head === undefined ? { head: usual.head } : {};
  return { encoder, freeze, ...chosen, keptViews, ...alone };
}
type Begun = Partial<
  Pick<
    RunConfig,
    | ("encoder" | "freeze" | "adapter" | "keptViews" | "wholeImages" | "head")
    | ("backboneLrFactor" | "layerDecay" | "headFirst" | "batchNorm")
  >
>;

/** What a run notes of its start, where it has one. */
export function factsOfStart(met: MetStart | undefined): { start?: StartFacts } {
  if (met === undefined) return {};
  const { crop, interpolation, start, dimension } = met.description;
  return {
    start: { hash: met.hash, dimension, licence: start?.licence, crop, interpolation },
  };
}
