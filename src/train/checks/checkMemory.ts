import { totalmem } from "node:os";

import { sizeOf } from "../../core/arrays.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Framework } from "../../frameworks/index.ts";
import type { RunConfig } from "../../config/schema.ts";

const BYTES = 4; // of a float32
const GIB = 2 ** 30;
/** Share of the memory that is left to everything else. */
const HEADROOM = 0.1;

/** Bytes that this process may use: of the machine, or of the container where that has fewer. */
function memoryLimit(): number {
  const container = process.constrainedMemory() ?? 0;
  return container > 0 ? Math.min(totalmem(), container) : totalmem();
}

type Part = { readonly what: string; readonly bytes: number };

const whole = (value: number): string => value.toLocaleString("en-US");

/** What a step holds at once at the very least, without feature maps, which only its program knows. */
function partsOf(framework: Framework): Part[] {
  const { encoder, head, batchSpec, contested, memoryRows } = framework;
  const weights = [encoder, head].flatMap(({ parameters }) => Object.values(parameters));
  const count = weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const pairs = contested.reduce((sum, { anchors, candidates }) => sum + anchors * candidates, 0);
  const { anchors = 0, candidates = 0 } = contested[0] ?? {};
  const { shape } = batchSpec.views;
  return [
    { what: `${whole(count)} weights`, bytes: 4 * BYTES * count }, // they and the optimiser's, before and after
    { what: `views of ${shape.map(whole).join(" × ")}`, bytes: 2 * BYTES * sizeOf(shape) }, // and the next ones
    {
      what: `a memory of ${whole(memoryRows)} × ${head.dimension}`,
      bytes: 3 * BYTES * memoryRows * head.dimension, // before, after and compared
    },
    {
      what: `similarities of ${whole(anchors)} × ${whole(candidates)}`,
      // pairs, loss and gradient; measured 17 to 27 with queues of 400,000 to 1,200,000 keys
      bytes: (memoryRows > 0 ? 15 : 8) * BYTES * pairs,
    },
  ];
}

const gib = (bytes: number): string => `${whole(Number((bytes / GIB).toPrecision(2)))} GiB`;

/**
 * Refuses a step that cannot fit into memory, before anything of it is made. What is counted is a lower bound.
 * Other devices than the CPU have a memory of their own.
 *
 * @throws ConfigError with the sizes
 */
export function checkMemory(
  framework: Framework,
  { device }: Pick<RunConfig, "device">,
  limit = memoryLimit(),
): void {
  if (device !== "cpu" && device !== "reference") return;
  const parts = partsOf(framework).sort((a, b) => b.bytes - a.bytes);
  const needed = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (needed <= (1 - HEADROOM) * limit) return;
  const large = parts.filter(({ bytes }) => bytes > needed / 20);
  const sizes = large.map(({ what, bytes }) => `${what} take ${gib(bytes)}`).join(", ");
  throw new ConfigError(
    `train: a step needs at least ${gib(needed)} of memory, there are ${gib(limit)}, a tenth of them for everything else: ${sizes}`,
    "a smaller batch, queue, image size or encoder",
  );
}
