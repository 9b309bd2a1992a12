/** How many times as long as planned a run may take before that is told. */
export const LATE = 1.15;

/** `50 s`, `27 minutes`. */
export const spoken = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} minutes`;

/**
 * Measures a planned run again while it goes on. After each epoch a sentence where its end has moved away from what
 * was last said of it, by the time that epochs with their measurements and checkpoints take.
 *
 * @param planned seconds that were said at first
 * @param now milliseconds of a clock
 */
export function followPace(planned: number, epochs: number, now = () => performance.now()) {
  const start = now();
  let told = planned;
  return (done: number): string | undefined => {
    const spent = (now() - start) / 1000;
    const whole = (spent / done) * epochs;
    if (done === epochs || whole <= LATE * told) return undefined;
    const before = told;
    told = whole;
    return `time       about ${spoken(whole)} in all instead of ${spoken(before)}: epochs take longer than was measured before; ${spoken(whole - spent)} left`;
  };
}
