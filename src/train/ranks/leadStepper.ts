import { counted } from "../../core/counted.ts";
import { ConfigError, ContraposeError, DataError } from "../../core/errors.ts";
import type { HostState, StepAt } from "../../frameworks/index.ts";
import { disagreement, gatherValues, type Leader } from "../../ranks/index.ts";
import type { TrainingData } from "../dataset.ts";
import type { Stepper } from "../stepper.ts";
import { digestOf, sendState } from "./jointState.ts";
import type { OpenReply, TrainOrder } from "./trainOrder.ts";

const kinds: Record<string, typeof ContraposeError> = { ConfigError, DataError };

/** Throws what went wrong on a rank, and where ranks see different images. */
function checkReplies(replies: readonly OpenReply[]): void {
  replies.forEach(({ error }, rank) => {
    if (error === undefined) return;
    const Kind = kinds[error.name] ?? ContraposeError;
    throw new Kind(`rank ${rank}: ${error.message}`, error.hint);
  });
  const seen = replies.map(({ images = 0, fingerprint = "" }) => ({ images, fingerprint }));
  const differing = disagreement(
    seen.map(
      ({ images, fingerprint }) => `${counted(images, "image")} (${fingerprint.slice(0, 8)})`,
    ),
  );
  if (differing === undefined) return;
  throw new DataError(
    `ranks see different images, groups or labels under the same path: ${differing}`,
    "give all machines the same files, as on a file system that they share",
  );
}

/** Opens the run on the other ranks, then makes every step of a stepper one of all ranks. */
export async function leadStepper(
  leader: Leader,
  open: Omit<TrainOrder & { kind: "open" }, "kind">,
  stepper: Stepper,
  data: Pick<TrainingData, "fingerprint" | "count">,
): Promise<Stepper> {
  const { ranks } = leader;
  if (ranks.size === 1) return stepper;
  const order = <R>(said: TrainOrder, part: () => Promise<R>) => leader.order(said, part);
  const own: OpenReply = { fingerprint: data.fingerprint, images: data.count };
  checkReplies(await order({ kind: "open", ...open }, () => gatherValues(ranks, own)));
  let current: HostState | undefined; // the state that all ranks have
  const together = <R>(
    kind: "embed" | "step",
    { state, at }: { state: HostState; at: StepAt },
    part: () => Promise<R>,
  ) => {
    const fresh = state !== current;
    return order({ kind, at, fresh }, async () => {
      if (fresh) await sendState(ranks, state);
      current = state;
      return part();
    });
  };
  return {
    ...stepper,
    async step(state, batch, at) {
      const stepped = await together("step", { state, at }, () => stepper.step(state, batch, at));
      current = stepped.state;
      return stepped;
    },
    embedded: (state, batch, at) =>
      together("embed", { state, at }, () => stepper.embedded!(state, batch, at)),
    batchesFrom: (step, epochs, boxes) =>
      order({ kind: "batches", step, epochs, boxes: boxes !== undefined }, async () => {
        if (boxes === undefined) return;
        await ranks.broadcast(new Uint8Array(new Float32Array(boxes).buffer));
      }),
    async agree(state) {
      if (state !== current) return;
      const digests = await order({ kind: "digest" }, () => gatherValues(ranks, digestOf(state)));
      const differing = disagreement(digests.map((digest) => digest.slice(0, 8)));
      if (differing === undefined) return;
      throw new ContraposeError(
        `the weights of ranks have come apart: ${differing}`,
        "their processors compute differently: use machines of one kind; --tune off fixes the ways to compute",
      );
    },
  };
}
