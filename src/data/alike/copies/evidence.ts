const BLACK = 4; // grey levels; darker and lighter cells have lost their details
const WHITE = 249;
const TEXTURE = 2.5; // grey levels of detail that tell something
const NOISE = 1.2; // grey levels of detail that compression makes
const FAINT = 9; // grey levels by which compression and light that is cut off change details of flat pictures
const FIT_ROUNDS = 4;
const UNLIKE = 0.3; // likeness below which nothing more is worked out
const SURELY_UNLIKE = 0.25; // the same, of rounded details

/** What two pictures that lie on each other show of being one. */
export type Evidence = {
  readonly likeness: number; // correlation of their details, −1 … 1
  readonly agreement: number; // share of the details that are the same but for contrast, 0 … 1
  readonly texture: number; // share of the cells that have details, 0 … 1
};

const known = new Map<number, Float64Array>();

/** Numbers of cells up to `radius` away from each along a line of `side`. */
function cellsAround(side: number, radius: number): Float64Array {
  const key = side * 1000 + radius;
  let counts = known.get(key);
  if (counts === undefined) {
    counts = new Float64Array(side);
    for (let i = 0; i < side; i++) {
      counts[i] = Math.min(side - 1, i + radius) - Math.max(0, i - radius) + 1;
    }
    known.set(key, counts);
  }
  return counts;
}

/** Cells less the mean of the square of cells around them, up to `radius` away: [side, side]. */
function details(cells: Float32Array, side: number, radius: number): Float32Array {
  const counts = cellsAround(side, radius);
  const across = new Float32Array(side * side); // means along rows
  for (let row = 0; row < cells.length; row += side) {
    let sum = 0;
    for (let x = 0; x < radius; x++) sum += cells[row + x];
    for (let x = 0; x < side; x++) {
      if (x + radius < side) sum += cells[row + x + radius];
      if (x > radius) sum -= cells[row + x - radius - 1];
      across[row + x] = sum / counts[x];
    }
  }
  const sums = new Float64Array(side); // of the rows around, for each column
  for (let at = 0; at < radius * side; at++) sums[at % side] += across[at];
  const result = new Float32Array(side * side);
  for (let y = 0, at = 0; y < side; y++) {
    const [below, above] = [(y + radius) * side, (y - radius - 1) * side];
    if (y + radius < side) for (let x = 0; x < side; x++) sums[x] += across[below + x];
    if (y > radius) for (let x = 0; x < side; x++) sums[x] -= across[above + x];
    for (let x = 0; x < side; x++, at++) result[at] = cells[at] - sums[x] / counts[y];
  }
  return result;
}

/** Stands for a detail of a cell that has lost it. */
const LOST = -128;

/** The details of cells [side, side] in grey levels, rounded; `LOST` where a cell is too dark or too bright to have any. */
export function sketchOf(cells: Float32Array, side: number, radius: number): Int8Array {
  const sketch = new Int8Array(side * side);
  const exact = details(cells, side, radius);
  for (let i = 0; i < sketch.length; i++) {
    sketch[i] = isLost(cells[i]) ? LOST : Math.max(-127, Math.min(127, Math.round(exact[i])));
  }
  return sketch;
}

/**
 * Whether two pictures that lie on each other are surely no copies, by what `sketchOf` gives of them: they have
 * details, and these do not go together.
 *
 * @param places of the cells of the second as they lie on those of the first
 */
export function areUnlike(a: Int8Array, b: Int8Array, places: Uint16Array, few: number): boolean {
  let [products, ours, theirs, told] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i], b[places[i]]];
    if (one === LOST || other === LOST) continue;
    products += one * other;
    ours += one * one;
    theirs += other * other;
    if (other > TEXTURE || other < -TEXTURE) told++;
  }
  return told >= few * a.length && products < SURELY_UNLIKE * Math.sqrt(ours * theirs);
}

const isLost = (value: number) => value <= BLACK || value >= WHITE;

/** Correlation about 0. */
function likenessOf(a: Float32Array, b: Float32Array): number {
  let [products, ours, theirs] = [0, 1e-9, 1e-9];
  for (let i = 0; i < a.length; i++) {
    products += a[i] * b[i];
    ours += a[i] * a[i];
    theirs += b[i] * b[i];
  }
  return products / Math.sqrt(ours * theirs);
}

/** Contrast of `b` over that of `a` where they are the same: least squares, in which cells that differ count little. */
function contrast(a: Float32Array, b: Float32Array): number {
  let ratio = 0;
  for (let round = 0; round < FIT_ROUNDS; round++) {
    let [products, squares] = [0, 1e-6];
    for (let i = 0; i < a.length; i++) {
      const miss = round === 0 ? 0 : b[i] - ratio * a[i];
      const weight = 1 / (1 + (miss * miss) / 4);
      products += weight * a[i] * b[i];
      squares += weight * a[i] * a[i];
    }
    ratio = products / squares;
  }
  return ratio;
}

/** The details of two pictures where both have not lost theirs, and 0 elsewhere. */
function bothDetails(a: Float32Array, b: Float32Array, side: number, radius: number) {
  const [ours, theirs] = [details(a, side, radius), details(b, side, radius)];
  for (let i = 0; i < a.length; i++) {
    if (isLost(a[i]) || isLost(b[i])) ours[i] = theirs[i] = 0;
  }
  return { ours, theirs };
}

/** Largest size of the values in the 3 × 3 cells around each. */
function sizeAround(values: Float32Array, side: number): Float32Array {
  const across = new Float32Array(side * side);
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at++) {
      const before = x === 0 ? 0 : Math.abs(values[at - 1]);
      const after = x === side - 1 ? 0 : Math.abs(values[at + 1]);
      across[at] = Math.max(before, Math.abs(values[at]), after);
    }
  }
  const around = new Float32Array(side * side);
  for (let at = 0; at < across.length; at++) {
    const above = at < side ? 0 : across[at - side];
    const below = at + side < across.length ? across[at + side] : 0;
    around[at] = Math.max(above, across[at], below);
  }
  return around;
}

/** Cells `a` in the light and contrast of `b`, cut off at black and white as there. */
function inLightOf(a: Float32Array, b: Float32Array, ratio: number): Float32Array {
  let [sum, count] = [0, 1e-6];
  for (let i = 0; i < a.length; i++) {
    if (isLost(a[i]) || isLost(b[i])) continue;
    sum += b[i] - ratio * a[i];
    count++;
  }
  const lit = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) {
    lit[i] = Math.max(0, Math.min(255, ratio * a[i] + sum / count));
  }
  return lit;
}

/** The middle one of some values, by size, which come into another order (Hoare 1961, "Algorithm 65: Find"). */
function middle(values: Float32Array): number {
  const wanted = values.length >> 1;
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return values[wanted];
}

/**
 * Cells [side, side] whose details differ by more than those of most do, which compression and other sizes make
 * differ everywhere: as by a mark, or by a number on a form. What one shows too bright or too dark is compared as if both did.
 */
export function changedCells(a: Float32Array, b: Float32Array, side: number): number {
  const gain = contrast(details(a, side, 2), details(b, side, 2));
  const [one, other] = gain > 1 ? [inLightOf(a, b, gain), b] : [a, inLightOf(b, a, 1 / gain)];
  const [ours, theirs] = [details(one, side, 2), details(other, side, 2)];
  const ratio = contrast(ours, theirs);
  const [around, beside] = [sizeAround(ours, side), sizeAround(theirs, side)];
  const misses = new Float32Array(side * side);
  for (let i = 0; i < misses.length; i++) misses[i] = Math.abs(ratio * ours[i] - theirs[i]);
  const usual = middle(misses.slice());
  let changed = 0;
  for (let i = 0; i < misses.length; i++) {
    const size = Math.max(ratio * around[i], beside[i]);
    if (misses[i] > FAINT + 5 * usual + 0.2 * size) changed++;
  }
  return changed;
}

/** Compares the details of two pictures of cells [side, side]; details are what differs within `radius` cells. */
export function evidenceOf(
  a: Float32Array,
  b: Float32Array,
  side: number,
  radius: number,
): Evidence {
  const { ours, theirs } = bothDetails(a, b, side, radius);
  const likeness = likenessOf(ours, theirs);
  const ratio = likeness < UNLIKE ? 1 : contrast(ours, theirs);
  let [told, same] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const size = Math.max(Math.abs(ratio * ours[i]), Math.abs(theirs[i]));
    if (size < TEXTURE) continue;
    told++;
    if (Math.abs(ratio * ours[i] - theirs[i]) < NOISE + 0.3 * size) same++;
  }
  return { likeness, agreement: told === 0 ? 0 : same / told, texture: told / a.length };
}
