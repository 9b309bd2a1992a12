import { ConfigError } from "../../core/errors.ts";
import type { Need } from "../../sampling/index.ts";
import type { Core } from "../defineFramework.ts";
import type { Parts } from "../parts.ts";

const advice: Record<Exclude<Need, "labels">, string> = {
  bank: 'it looks up the bank of all images, which the framework "instDisc" keeps',
  manyViews: "set framework.views to 3 or more",
};

/**
 * Refuses a chain that contradicts itself: a sampler whose framework lacks what it looks at, terms that
 * the loss cannot honour, a mixer where there is nothing to mix. Labels are checked where data is known.
 */
export function checkChain(framework: string, core: Core, parts: Parts): void {
  const { entry: loss } = parts.chosenLoss;
  for (const { part, options } of core.chains.flatMap(({ links }) => links)) {
    const missing = part.needs.find((need) => need !== "labels" && !core.offers.includes(need));
    if (missing !== undefined && missing !== "labels") {
      const what = missing === "bank" ? "a bank" : "three or more views of an image";
      throw new ConfigError(
        `samplers: ${part.name} needs ${what}, the framework ${framework} has none as it is set`,
        advice[missing],
      );
    }
    const option = part.sets(options).find((name) => !Object.hasOwn(loss.options.shape, name));
    if (option !== undefined) {
      throw new ConfigError(
        `samplers: ${part.name} sets the option ${option} of the loss, ${loss.name} has none`,
        "choose the loss infoNce",
      );
    }
  }
  if (parts.mixer !== undefined && core.chains.every(({ mixer }) => mixer === undefined)) {
    throw new ConfigError(`mixer: the framework ${framework} has no candidates to mix`);
  }
}
