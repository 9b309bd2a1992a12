/** A count of things: `1 image`, `12,345 images`; `1 class`, `2 classes` with the plural given. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${value.toLocaleString("en-GB")} ${value === 1 ? noun : plural}`;
