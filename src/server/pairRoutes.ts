import type { Hono } from "hono";

import { picturesOf } from "../views/index.ts";
import { inspectRun, readRecordedStep, recordedSteps, runConfig } from "../train/index.ts";
import { runFolder } from "../train/run/runFolder.ts";
import type { Galleries } from "./galleries.ts";
import { numberIn, pictureAnswer } from "./imageRoutes.ts";
import { keepFew } from "./keep.ts";
import type { Watch } from "./overview.ts";
import { gone, runOf } from "./runRoutes.ts";
import type { PairSteps, PairStep } from "./wire.ts";

const TOP = 60; // pairs of each list
const STEPS = 1e9;

/** What the page asks of recorded pairs. */
export function addPairs(app: Hono, watch: Watch, galleries: Galleries): void {
  const steps = keepFew<Awaited<ReturnType<typeof readRecordedStep>>>(4, () => undefined);
  app.get("/api/runs/:run/pairs", async (c) => {
    const run = runOf(c, watch);
    if (run instanceof Response) return run;
    const { images } = (await galleries.of(run.id))!;
    const { method, framework, samplers, mixer, loss } = runConfig(run.path);
    const chain = [...samplers, ...(mixer === undefined ? [] : [mixer])].map(({ name }) => name);
    const answer: PairSteps = {
      steps: recordedSteps(runFolder(run.path).pairs),
      labelled: images?.labels !== undefined,
      method: `${method}: ${framework.name}${chain.length === 0 ? "" : `, through ${chain.join(", ")}`}, loss ${loss.name}`,
    };
    return c.json(answer);
  });
  app.get("/api/runs/:run/pairs/:step", async (c) => {
    const run = runOf(c, watch);
    if (run instanceof Response) return run;
    const step = numberIn(c, "step", STEPS);
    const folder = runFolder(run.path).pairs;
    if (step === undefined || !recordedSteps(folder).includes(step)) return gone(c, "step");
    const { images } = (await galleries.of(run.id))!;
    const [found] = await inspectRun(folder, images!, { step, top: TOP });
    const { epoch, reasons, anchors } = found;
    const answer: PairStep = { step, epoch, reasons, anchors };
    return c.json(answer);
  });
  app.get("/api/runs/:run/views/:step/:row", async (c) => {
    const run = runOf(c, watch);
    if (run instanceof Response) return run;
    const [step, row] = [numberIn(c, "step", STEPS), numberIn(c, "row", STEPS)];
    const folder = runFolder(run.path).pairs;
    if (step === undefined || !recordedSteps(folder).includes(step)) return gone(c, "step");
    const recorded = await steps.get(`${run.id} ${step}`, () => readRecordedStep(folder, step));
    const view = recorded.views.find((one) => one.row === row);
    const gallery = (await galleries.of(run.id))!;
    if (view === undefined || view.source >= gallery.count) return gone(c, "view");
    const image = (await gallery.picture(view.source))!;
    return pictureAnswer(c, picturesOf(runConfig(run.path).views)(image, view.parameters));
  });
}
