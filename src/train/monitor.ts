import { permutation, randomStream } from "../core/random.ts";
import { openFeatures } from "../inference/index.ts";
import type { RunConfig } from "./config.ts";
import type { TrainingData } from "./dataset.ts";
import type { EvaluationRecord } from "./events.ts";
import type { Framework, HostState } from "../methods/index.ts";
import type { Progress } from "./loop.ts";
import { exportedEncoder } from "./session.ts";

export async function openMonitor(session: {
  config: RunConfig;
  data: TrainingData;
  framework: Framework;
  state: HostState;
}) {
  const { config, data, framework, state } = session;
  const format = { imageSize: config.imageSize, mean: config.views.mean, std: config.views.std };
  const embedder = await openFeatures(framework.encoder, exportedEncoder(state), format, {
    ...config,
  });
  const n = Math.min(data.count, config.evaluation.images);
  const indices = permutation(randomStream(config.seed, "evaluation"), data.count).slice(0, n);
  return {
    async evaluate(
      { state, step, elapsedSeconds }: Progress,
      epoch: number,
    ): Promise<EvaluationRecord> {
      const f = await embedder.embed(exportedEncoder(state) as never, data, { indices });
      let s = 0;
      for (const v of f) s += v;
      return { kind: "evaluation", epoch, step, uniformity: s, effectiveRank: 1, elapsedSeconds };
    },
    dispose: () => embedder.dispose(),
  };
}
