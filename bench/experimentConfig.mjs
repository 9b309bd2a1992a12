// Configs of an experiment's runs, and the mark by which a result is known to be of one.
import { createHash } from "node:crypto";

const isTree = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** One config over another; a part of another name does not inherit the options of the one it replaces. */
function merge(base, over = {}) {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const under = result[key];
    const laid = isTree(value) && isTree(under) && (value.name ?? under.name) === under.name;
    result[key] = laid ? merge(under, value) : value;
  }
  return result;
}

/** The training config of one run, and a hash of it and of the images. */
export function runOf(experiment, arm, seed) {
  const config = merge(merge(experiment.base, arm.config), { seed });
  const text = JSON.stringify([experiment.data, config]);
  return { config, hash: createHash("sha256").update(text).digest("hex").slice(0, 12) };
}
