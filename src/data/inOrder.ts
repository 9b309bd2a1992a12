/** How much is under way at a time: values, and the bytes that they hold. */
export type Width<T> = {
  readonly values: number;
  readonly bytes: number;
  readonly sizeOf: (value: T) => number; // bytes
};

/**
 * Starts `run` for values as they come, several at a time, and gives the results in the order of the
 * values. One value is always taken, however large it is.
 */
export async function* inOrder<T, R>(
  values: AsyncIterable<T>,
  width: Width<T>,
  run: (value: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: { result: Promise<R>; size: number }[] = [];
  let bytes = 0;
  const next = () => {
    const { result, size } = pending.shift()!;
    bytes -= size;
    return result;
  };
  try {
    for await (const value of values) {
      const size = width.sizeOf(value);
      while (pending.length > 0 && bytes + size > width.bytes) yield await next();
      const result = run(value);
      result.catch(() => undefined); // heard when its turn comes
      pending.push({ result, size });
      bytes += size;
      while (pending.length >= width.values) yield await next();
    }
    while (pending.length > 0) yield await next();
  } finally {
    await Promise.allSettled(pending.map(({ result }) => result));
  }
}
