import type { HostTree } from "../core/arrays.ts";
import {
  type Embedder,
  type EmbedderOptions,
  featuresOf,
  headFeaturesOf,
  type InputFormat,
  type LoadedEncoder,
  type LoadedHead,
  loadHead,
  openFeatures,
  openFixedEmbedder,
  openHeadFeatures,
  type Rows,
} from "../inference/index.ts";
import type { Features } from "../metrics/index.ts";

/** Which features: those before the head, or unit embeddings behind it. */
export type FeaturesKind = "features" | "head";

/** An embedder with the variables of one encoder. */
export type OpenEncoder = {
  readonly format: InputFormat;
  readonly dimension: number;
  embed(
    rows: Rows,
    calls?: { progress?: (done: number) => void; signal?: AbortSignal | undefined },
  ): Promise<Features>;
  /** The same network with other weights. */
  withVariables(variables: HostTree): Omit<OpenEncoder, "withVariables" | "dispose">;
  dispose(): Promise<void>;
};

function bound(embedder: Embedder, variables: HostTree, format: InputFormat) {
  return {
    format,
    dimension: embedder.dimension,
    async embed(rows: Rows, calls = {}) {
      const data = await embedder.embed(variables, rows, calls);
      return { data, count: rows.count, dimension: embedder.dimension };
    },
  };
}

/** Compiles a loaded encoder, with a head where there is one, for its own weights alone. */
export async function openFixedEncoder(
  { network, variables, description: { imageSize } }: LoadedEncoder,
  head: LoadedHead | undefined,
  options: EmbedderOptions,
): Promise<Pick<OpenEncoder, "embed" | "dispose">> {
  const { dimension } = head?.network ?? network;
  const size = { dimension, imageSize };
  const fixed =
    head === undefined
      ? await openFixedEmbedder(featuresOf(network), variables, size, options)
      : await openFixedEmbedder(
          headFeaturesOf({ encoder: network, head: head.network }),
          { encoder: variables, head: head.variables },
          size,
          options,
        );
  return {
    async embed(rows, calls) {
      return { data: await fixed.embed(rows, calls), count: rows.count, dimension };
    },
    dispose: () => fixed.dispose(),
  };
}

/** Compiles a loaded encoder, with its head where that is asked for. */
export async function openEncoder(
  loaded: LoadedEncoder,
  kind: FeaturesKind,
  options: EmbedderOptions,
): Promise<OpenEncoder> {
  const { network, variables, description } = loaded;
  const open = async (): Promise<[Embedder, HostTree]> => {
    if (kind === "features") {
      return [await openFeatures(network, variables, description, options), variables];
    }
    const head = await loadHead(loaded);
    const both = { encoder: variables, head: head.variables };
    const networks = { encoder: network, head: head.network };
    return [await openHeadFeatures(networks, both, description, options), both];
  };
  const [embedder, all] = await open();
  return {
    ...bound(embedder, all, description),
    withVariables: (other) => bound(embedder, other, description),
    dispose: () => embedder.dispose(),
  };
}
