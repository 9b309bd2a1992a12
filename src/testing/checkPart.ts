import { ConfigError } from "../core/errors.ts";
import type { Loss } from "../losses/index.ts";
import type { Mixer, Sampler } from "../sampling/index.ts";
import { type Breaches, breaches, checkDescription } from "./breaches.ts";
import { checkLoss } from "./checkLoss.ts";
import { checkMixer } from "./checkMixer.ts";
import { checkSampler } from "./checkSampler.ts";

async function checkBehaviour(
  noted: Breaches,
  part: Loss | Sampler | Mixer,
  options: Record<string, unknown>,
): Promise<void> {
  const { kind } = part;
  if (kind === "loss") await checkLoss(noted, part, options);
  else if (kind === "sampler") await checkSampler(noted, part, options);
  else if (kind === "mixer") await checkMixer(noted, part, options);
  else throw new ConfigError(`expected a loss, a sampler or a mixer, not a ${String(kind)}`);
}

/**
 * What breaks the contract of a loss, a sampler or a mixer, a sentence each; empty where it is kept. It is run on small
 * made-up similarities, on jax-js and on ONNX Runtime.
 *
 * - All: described; the same from the same arguments, on both devices, in float32 and float64.
 * - Loss: one finite number an anchor, 0 without positives; the gradient that differences give; no order matters.
 * - Sampler: weights [N, M] of at least 0, no new pair, a word for each change, no gradient, nothing before its warm-up, all
 *   memory in its state, and the order of a batch matters only where it draws by place.
 * - Mixer: cosines and weights, nothing for an anchor without negatives or before its warm-up, slopes that are its rows.
 *
 * @param part what `defineLoss`, `defineSampler` or `defineMixer` gives
 * @param options of the part; its defaults unless given
 */
export async function checkPart(
  part: Loss | Sampler | Mixer,
  options: Record<string, unknown> = {},
): Promise<string[]> {
  const noted = breaches();
  checkDescription(noted, part, options);
  if (noted.found.length > 0) return noted.found;
  try {
    await checkBehaviour(noted, part, options);
  } catch (error) {
    noted.found.push(`throws: ${error instanceof Error ? error.message : String(error)}`);
  }
  return noted.found;
}
