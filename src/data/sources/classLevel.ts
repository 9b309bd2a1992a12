const looksLikeDate = (name: string) => /^(19|20)\d\d([-_. ]?\d\d?([-_. ]?\d\d?)?)?$/.test(name);
const looksLikeCamera = (name: string) => /^\d{3}[A-Z_]{4,5}$/.test(name); // 100CANON, 101_PANA

/**
 * Which level of folders names the classes of images, 0 outermost, or undefined where none does.
 *
 * The outermost level with several names that are neither dates nor a camera's own, under which nine in
 * ten images lie, with two or more images a name on average.
 *
 * @param paths of the images, with forward slashes, without the folders that name parts of a dataset
 */
export function classLevel(paths: readonly string[]): number | undefined {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  const depth = folders.reduce((deepest, names) => Math.max(deepest, names.length), 0);
  for (let level = 0; level < depth; level++) {
    const names = folders.flatMap((path) => path.slice(level, level + 1));
    if (names.length < 0.9 * paths.length) return undefined;
    const distinct = [...new Set(names)];
    if (distinct.length < 2) continue;
    if (distinct.some((name) => looksLikeDate(name) || looksLikeCamera(name))) continue;
    return names.length >= 2 * distinct.length ? level : undefined;
  }
  return undefined;
}

/** The name of the class folder of an image, or undefined where it lies above that level. */
export function classOf(path: string, level: number): string | undefined {
  const names = path.split("/");
  return level < names.length - 1 ? names[level] : undefined;
}
