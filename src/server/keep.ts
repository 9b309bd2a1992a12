/** Keeps the last few values that were opened by key, and closes the others. */
export function keepFew<T>(most: number, shut: (value: T) => unknown) {
  const kept = new Map<string, Promise<T>>();
  const drop = (key: string) => {
    const value = kept.get(key);
    kept.delete(key);
    void value?.then(shut).catch(() => undefined);
  };
  return {
    /** The value of a key, opened where it is not; one that failed to open is forgotten. */
    async get(key: string, open: () => Promise<T>): Promise<T> {
      const value = kept.get(key) ?? open();
      kept.delete(key);
      kept.set(key, value); // the latest is last
      if (kept.size > most) drop([...kept.keys()][0]);
      try {
        return await value;
      } catch (error) {
        if (kept.get(key) === value) kept.delete(key);
        throw error;
      }
    },
    close() {
      for (const key of [...kept.keys()]) drop(key);
    },
  };
}
