/**
 * Starts `run` for values as they come, up to `width` at a time, and gives the results in the order of
 * the values.
 */
export async function* inOrder<T, R>(
  values: AsyncIterable<T>,
  width: number,
  run: (value: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const value of values) {
      const started = run(value);
      started.catch(() => undefined); // heard when its turn comes
      pending.push(started);
      while (pending.length >= width) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}
