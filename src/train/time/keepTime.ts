import { counted } from "../../core/counted.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { TrainListener } from "../events.ts";
import type { LoopParts } from "../loop.ts";
import { followPace, type Slower, spoken } from "./pace.ts";
import { shortened } from "./replan.ts";
import { readRunConfig, writeRunConfig } from "../run/runConfig.ts";
import type { RunFolder } from "../run/runFolder.ts";

type Parts = {
  config: RunConfig; // replaced where the plan changes
  readonly folder: RunFolder;
  readonly listener: TrainListener;
};

function describe({ minutes = 0, epochs }: RunConfig, slower: Slower): string {
  const late = `plan       slower than measured: ${spoken(slower.left)} left of ${spoken(60 * minutes)}`;
  const end = `done in about ${spoken(slower.kept)}`;
  const shortened = counted(slower.epochs, "epoch");
  if (slower.epochs === epochs) return `${late}; the plan stays at ${shortened}, ${end}`;
  return `${late}; the plan is now ${shortened} instead of ${epochs}, ${end}`;
}

/**
 * Keeps a run that was given a time to it: where it turns out slower than its plan it gets fewer epochs. The change is
 * written down before a step is done under it, so that a run that is stopped after that goes on by it.
 */
export function keepingTime(
  session: Parts,
  stepsPerEpoch: number,
  log: (text: string) => void,
): LoopParts["keepTime"] {
  const { minutes } = session.config;
  if (minutes === undefined) return async () => undefined;
  const pace = followPace(minutes, stepsPerEpoch);
  return async (at) => {
    const { config, folder, listener } = session;
    const slower = pace(at, config);
    if (slower === undefined) return;
    const text = describe(config, slower);
    if (slower.epochs < config.epochs) {
      await writeRunConfig(folder, shortened(readRunConfig(folder), slower.epochs, at.step));
      session.config = shortened(config, slower.epochs, at.step);
    }
    log(text);
    listener({ kind: "plan", config: session.config, text });
  };
}
