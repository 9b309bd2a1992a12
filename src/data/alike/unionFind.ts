/** Sets of 0 … count − 1 that can be joined. */
export type UnionFind = {
  /** Puts two members, and all that is joined to them, into one set. */
  join(a: number, b: number): void;
  /** The same member for all members of a set. */
  root(a: number): number;
};

/** Starts with every member in a set of its own. Trees with halved paths, joined by size. */
export function unionFind(count: number): UnionFind {
  const parent = Int32Array.from({ length: count }, (_, i) => i);
  const size = new Int32Array(count).fill(1);
  const root = (a: number) => {
    let at = a;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  const join = (a: number, b: number) => {
    const [one, other] = [root(a), root(b)];
    if (one === other) return;
    const [large, small] = size[one] >= size[other] ? [one, other] : [other, one];
    parent[small] = large;
    size[large] += size[small];
  };
  return { join, root };
}
