import { duration, figure, grouped, percentage } from "../../../src/report/markup/figures.ts";

export { duration, figure, grouped, percentage };

/** A plural where there is not one: `1 image`, `1,200 images`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;

/** How long ago something was, in words. */
export function ago(time: number): string {
  const seconds = Math.max(0, (Date.now() - time) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(time).toLocaleDateString("en-GB", { dateStyle: "medium" });
}

/** The last part of a path. */
export const fileName = (path: string): string => path.split("/").at(-1) ?? path;
