/**
 * The range of shares that fit `share` of `count` independent trials, 95 % of the time.
 * Wilson's score interval: E. B. Wilson, "Probable inference", JASA 22 (1927).
 */
export function wilsonInterval(share: number, count: number): [low: number, high: number] {
  const z = 1.959964;
  const weight = 1 + z ** 2 / count;
  const centre = (share + z ** 2 / (2 * count)) / weight;
  const reach = (z / weight) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return [Math.max(0, centre - reach), Math.min(1, centre + reach)];
}
