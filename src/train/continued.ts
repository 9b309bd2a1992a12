import { resolve } from "node:path";

import { ConfigError } from "../core/errors.ts";
import {
  type ConfigTree,
  type Named,
  type RunConfig,
  TrainConfig,
  type TrainSettings,
} from "../config/schema.ts";
import { differences } from "../config/decisive.ts";
import { omit, overlay } from "../config/layers.ts";
import { settingsWhere } from "../config/settings.ts";
import { withFullPaths } from "./run/runConfig.ts";

/** Settings that may differ when a run goes on: they change nothing that is learned. */
const changeable = settingsWhere(({ resume }) => resume === "free");
/** Settings that are not held against those of the run: these, those of its plan, and what is not read. */
const apart = settingsWhere(({ resume, kept }) => resume !== undefined || kept === true);

/** Refuses settings that are not those of the run. */
export function checkSame(given: ConfigTree, written: RunConfig, path: string): void {
  const { out = resolve(path), ...others }: ConfigTree = omit(given, ...apart);
  const kept = out === resolve(path) ? others : { ...others, out };
  const own = withFullPaths({ ...written });
  const { samplers = own.samplers } = kept as Pick<TrainSettings, "samplers">;
  const chain = samplers.map((one, i) =>
    (one as Named).name === own.samplers[i]?.name ? overlay(own.samplers[i], one as Named) : one,
  );
  const wrong = differences({ ...overlay(own, kept), samplers: chain }, own);
  if (wrong.length === 0) return;
  throw new ConfigError(
    `resume: the settings of the run cannot change: ${wrong.join("; ")}`,
    "leave them out, or start a new run with --init",
  );
}

/** The config that a run goes on with: its own, with what may change as given, and its folder where it is now. */
export function continuedConfig(written: RunConfig, given: ConfigTree, path: string): RunConfig {
  const changed = changeable.flatMap((key) =>
    given[key] === undefined ? [] : [[key, given[key]]],
  );
  const places = withFullPaths({ ...omit(written, "init"), out: path }); // init is decisive as it is
  const config = { ...written, ...places, ...(Object.fromEntries(changed) as Partial<RunConfig>) };
  return { ...config, record: written.record ?? TrainConfig.shape.record.parse({ steps: 0 }) };
}
