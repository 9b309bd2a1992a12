import { share } from "../metrics/index.ts";

/** The range of shares that fit `accuracy` (0 to 1) of `count` independent trials: Wilson's, 95 %. */
export function wilsonInterval(accuracy: number, count: number): [low: number, high: number] {
  const { low, high } = share(accuracy * count, count);
  return [low, high];
}
