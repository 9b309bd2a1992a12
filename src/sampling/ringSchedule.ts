/** How the kept share of a ring falls from 1 to its last value. */
export type RingSchedule = {
  /** Last share, in (0, 1]. */
  outer: number;
  /** Share of the run over which it falls; 0: `outer` from the first step. */
  anneal: number;
  schedule: "linear" | "step" | "exponential" | "constant";
};

const STEPS = 10;
const DECAYS = 5; // the released code decays by e^(−0.1) a step, which is over after about 50

/** Whether the share changes during a run. */
export const anneals = ({ outer, anneal, schedule }: RingSchedule): boolean =>
  schedule !== "constant" && anneal > 0 && outer < 1;

/**
 * Share of the candidates that is kept at `progress` in [0, 1) of a run: `outer` from progress = `anneal` on,
 * and with x = progress / `anneal` before
 *
 *     linear        1 − (1 − outer) · x
 *     step          1 − (1 − outer) · ⌊10 x⌋ / 9, ten blocks of equal length
 *     exponential   outer + (1 − outer) · e^(−5 x)
 */
export function outerAt(progress: number, rule: RingSchedule): number {
  const { outer, anneal, schedule } = rule;
  if (!anneals(rule) || progress >= anneal) return outer;
  const done = progress / anneal;
  if (schedule === "linear") return 1 - (1 - outer) * done;
  if (schedule === "exponential") return outer + (1 - outer) * Math.exp(-DECAYS * done);
  return 1 - ((1 - outer) * Math.floor(STEPS * done)) / (STEPS - 1);
}
