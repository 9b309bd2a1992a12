import { ConfigError } from "../core/errors.ts";
import { catalogues, entryOfKind, isOwn, type Kind } from "../frameworks/index.ts";
import type { Named, RunConfig } from "./schema.ts";
import type { ConfigTree } from "./configTree.ts";

type Chosen = Partial<Record<Kind, Named | undefined>> & { samplers: readonly Named[] };

/** The parts of a config that are definitions of one's own, as `loss margin`; nothing where none is. */
export function ownParts({ samplers, ...others }: Chosen): { own?: string[] } {
  const single = (Object.keys(catalogues) as Kind[]).map((kind) => [kind, others[kind]] as const);
  const chain = samplers.map((one) => ["sampler", one] as const);
  const own = [...single, ...chain].flatMap(([kind, part]) => {
    const entry = part && entryOfKind(kind, part.name);
    return entry !== undefined && isOwn(entry) ? [`${kind} ${entry.name}`] : [];
  });
  return own.length === 0 ? {} : { own };
}

const missingOf = (own: readonly string[]): string[] =>
  own.filter((part) => {
    const [kind, name] = part.split(" ");
    return Object.hasOwn(catalogues, kind) && entryOfKind(kind as Kind, name) === undefined;
  });

/** Throws `ConfigError` where a run cannot go on without a definition that is not here. */
export function checkOwn(run: string, { own = [], plugins = [] }: RunConfig): void {
  const missing = missingOf(own);
  if (missing.length === 0) return;
  throw new ConfigError(
    `${run} uses ${missing.join(" and ")}, made by the one who trained it, which is not given`,
    plugins.length > 0
      ? `give it again: ${plugins.map((plugin) => `--plugin ${plugin}`).join(" ")}`
      : "give it again: the value in the settings of resume, or --plugin",
  );
}

/** The config of a run without the parts that are its user's own and not here, whose options nobody can check. */
export function withoutMissing(tree: ConfigTree): ConfigTree {
  const own = Array.isArray(tree.own) ? tree.own.filter((part) => typeof part === "string") : [];
  const missing = missingOf(own);
  const isHere = (kind: string, value: unknown) =>
    !missing.includes(`${kind} ${String((value as Partial<Named>).name)}`);
  const left = Object.entries(tree).filter(([kind, value]) => isHere(kind, value ?? {}));
  const { samplers, ...others } = Object.fromEntries(left);
  const chain = Array.isArray(samplers)
    ? samplers.filter((one) => isHere("sampler", one))
    : samplers;
  return { ...others, ...(samplers === undefined ? {} : { samplers: chain }) };
}
