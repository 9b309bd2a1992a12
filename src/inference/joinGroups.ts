import { counted } from "../core/counted.ts";
import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

type Grouped = { readonly ids: readonly string[]; readonly groups: Int32Array };

/**
 * Groups of a set with those of a file joined into them: images that share a group in either share one.
 * `unknown` counts images of the file that are not in the set. Throws `DataError` where none is.
 */
export function joinGroups(
  { ids, groups }: Grouped,
  more: readonly (readonly string[])[],
): { groups: Int32Array; unknown: number } {
  const places = new Map(ids.map((id, i) => [id, i]));
  const named = more.flat();
  const unknown = named.filter((id) => !places.has(id)).length;
  if (named.length > 0 && unknown === named.length) {
    throw new DataError(
      `groups: none of ${counted(named.length, "image")} is in the set, as ${quoted(named[0])}`,
      "give groups of these images: ids are paths from their folder",
    );
  }
  const parent = new Map<number, number>(); // of group numbers
  const root = (group: number): number => {
    let at = group;
    while (parent.has(at)) at = parent.get(at)!;
    return at;
  };
  for (const list of more) {
    const known = list.flatMap((id) => places.get(id) ?? []).map((i) => groups[i]);
    for (const group of known.slice(1)) {
      const [one, other] = [root(known[0]), root(group)];
      if (one !== other) parent.set(Math.max(one, other), Math.min(one, other));
    }
  }
  return { groups: groups.map(root), unknown };
}
