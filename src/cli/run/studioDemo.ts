import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { renderSamples } from "../../data/index.ts";
import { count } from "../format.ts";
import type { Call } from "../verb.ts";
import { drawing, recipe } from "./quickstart.ts";

/** Where a demo lies, unless it is said. */
export const DEMO = "contrapose-studio";

const TRAIN = 1500;
const TEST = 300;
const SIDE = 40; // pixels
const MINUTES = 2;

/** Draws sample images, and starts a training on them and then their embedding, as processes that outlive the studio. */
export async function startDemo(
  folder: string,
  command: readonly string[],
  { printer, signal }: Call,
): Promise<void> {
  const [images, run] = [join(folder, "images"), join(folder, "runs", "shapes")];
  if (existsSync(folder) && !existsSync(images)) {
    throw new ConfigError(
      `studio: ${quoted(folder)} exists and is not of an earlier demo`,
      "name another folder, as in contrapose studio ./demo --demo",
    );
  }
  printer.note(`demo       drawing ${count(TRAIN + TEST)} sample images in ${images}`);
  const options = { ...drawing, train: TRAIN, test: TEST, size: SIDE, seed: 0 };
  await renderSamples(images, options, { resume: true, signal });
  if (existsSync(run)) return;
  mkdirSync(join(folder, "runs"), { recursive: true });
  const config = join(folder, "config.json");
  const [data, test] = [join(images, "train"), join(images, "test")];
  const record = { steps: 12, anchors: 16 };
  writeFileSync(config, JSON.stringify({ ...recipe, minutes: MINUTES, record }, null, 2));
  const start = (...words: string[]) =>
    spawn(command[0], [...command.slice(1), ...words, "--quiet"], {
      stdio: "ignore",
      detached: true,
    });
  const training = start("train", data, "--test", test, "--config", config, "--out", run);
  training.unref();
  training.on("exit", (code) => {
    if (code === 0) start("embed", run, "--out", `${run}.parquet`).unref();
  });
}
