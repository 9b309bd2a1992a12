import { readJsonLines } from "../../files/index.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { EvaluationRecord, TrainListener } from "../events.ts";
import { metricsLine } from "./metricsLine.ts";
import type { RunFiles } from "./runFiles.ts";
import type { RunFolder } from "./runFolder.ts";

/** What training showed last. */
type Seen = {
  loss: number | null; // mean of the last epoch that was done, nats
  evaluation: EvaluationRecord | undefined;
};
type Followed = { readonly config: RunConfig; readonly listener: TrainListener };

/** What this sitting saw, or where earlier ones did the last whole epoch, what they wrote down. */
export async function lastSeen(seen: Seen, { metrics }: RunFolder, epochs: number): Promise<Seen> {
  if (seen.loss !== null || epochs === 0) return seen;
  const records = await readJsonLines(metrics, metricsLine);
  const losses = records.flatMap((record) =>
    record.kind === "step" && record.epoch === epochs - 1 ? [record.loss] : [],
  );
  const sum = losses.reduce((total, loss) => total + loss, 0);
  return {
    loss: losses.length === 0 ? null : sum / losses.length,
    evaluation: records.findLast((record) => record.kind === "evaluation"),
  };
}

/** Keeps of all events what the outcome says, and writes epochs to the log. */
export function following(session: Followed, files: Pick<RunFiles, "log">) {
  const seen: Seen = { loss: null, evaluation: undefined };
  const listener: TrainListener = (event) => {
    if (event.kind === "epoch") {
      const { loss, epoch } = event.record;
      seen.loss = loss;
      seen.evaluation = event.evaluation ?? seen.evaluation;
      const knn = event.evaluation?.knnAccuracy;
      const voted = knn === undefined ? "" : `, k-NN accuracy ${knn.toFixed(4)}`;
      files.log(`epoch ${epoch + 1} of ${session.config.epochs}: loss ${loss.toFixed(4)}${voted}`);
    }
    session.listener(event);
  };
  return { seen, listener };
}
