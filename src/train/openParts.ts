import type { OpenConfig } from "../config/automatic.ts";
import { configHash, decisivePart } from "../config/decisive.ts";
import type { RunConfig } from "../config/schema.ts";
import type { Framework, HostState } from "../frameworks/index.ts";
import { alone, type Leader, leading } from "../ranks/index.ts";
import { beginWith } from "./begin.ts";
import { describeLoaded, initialise } from "./init.ts";
import { closeKept, type Given, type Kept, openKept } from "./kept/openKept.ts";
import { openJoint } from "./ranks/openJoint.ts";
import { readCheckpoint } from "./run/checkpoint.ts";
import { exportedOf } from "./session.ts";
import { type Stepper, type Target, targetOf } from "./stepper.ts";

/** A framework on its images, compiled, in a state to go on from. */
export type Parts = {
  readonly framework: Framework;
  readonly kept: Kept | undefined;
  readonly state: HostState;
  readonly stepper: Stepper;
  readonly target: Target;
  /** The checkpoint that the state is of; undefined where it is the first. */
  readonly read: ReturnType<typeof readCheckpoint> | undefined;
};

/** Which state a run goes on from, and how it is computed. */
export type From = {
  readonly checkpoint?: string | undefined; // the first state where there is none
  readonly tune?: Target["tune"]; // chosen by timing where it is left out
  readonly leader?: Leader | undefined; // of the ranks that share each batch
  readonly exists?: boolean; // whether the run has a folder already
};

/** Compiles the step of a framework, and makes its first state or reads that of a checkpoint. */
export async function openParts(
  framework: Framework,
  config: OpenConfig | RunConfig,
  given: Given,
  { checkpoint, tune, leader = leading(alone), exists = false }: From = {},
): Promise<Parts> {
  const { data, start, listener } = given;
  const first = framework.init();
  if (checkpoint === undefined && config.init !== undefined) {
    listener({ kind: "note", text: describeLoaded(await initialise(first, config.init)) });
  }
  const asked = targetOf(config, tune);
  const kept = await openKept(config, asked, given);
  try {
    if (start !== undefined) beginWith(first, config, { start, views: kept?.views });
    const decisive = decisivePart(config, data.fingerprint);
    const expected = { decisive, configHash: configHash(decisive) };
    const exported = exportedOf(config, framework, first, data.dataset, start);
    const read =
      checkpoint === undefined ? undefined : readCheckpoint(checkpoint, first, expected, exported);
    const state = read?.state ?? first;
    listener({ kind: "compiling", what: "the training step" });
    const timing = (done: number, total: number) =>
      listener({ kind: "timing", done, total, what: "convolutions" });
    const joint = { framework, state, config, data, target: { ...asked, timing } };
    const stepper = await openJoint(leader, exists, joint);
    const target = tune === undefined ? targetOf(config, stepper.choices()) : asked;
    return { framework, kept, state, stepper, target, read };
  } catch (error) {
    closeKept(kept);
    throw error;
  }
}
