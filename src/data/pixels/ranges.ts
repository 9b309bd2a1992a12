import { z } from "zod";

/**
 * Values of deep pixels that are shown as black and as white; all between in proportion, those beyond
 * cut off. For pixels of one depth, as `ushort`, or of any where none is named.
 */
export const PixelRange = z.strictObject({
  depth: z.string().optional(),
  low: z.number(),
  high: z.number(),
});
export type PixelRange = z.output<typeof PixelRange>;

/** The depth of an image's pixels and the values that it uses. */
export type Extent = { readonly depth: string; readonly low: number; readonly high: number };

const INTEGER_LEVELS = [8, 10, 12, 14, 16].map((bits) => 2 ** bits - 1); // what cameras give
const FLOAT_LEVELS = [1, ...INTEGER_LEVELS];
const USED = 1 / 4; // of a level, or the values themselves make the range
const FULL = 3 / 4; // of a level: an image that fills it
const SHARE = 1 / 5; // of the images: enough to be a kind of their own

const size = ({ low, high }: Extent) => Math.max(Math.abs(low), Math.abs(high));

/** The least of the usual largest values that holds an extent; infinite beyond 16 bits. */
function levelOf(extent: Extent): number {
  const levels = extent.depth === "float" ? FLOAT_LEVELS : INTEGER_LEVELS;
  return levels.find((level) => size(extent) <= level) ?? Infinity;
}

function rangeOf(level: number, members: readonly Extent[]): PixelRange {
  const { depth } = members[0];
  const low = members.reduce((least, member) => Math.min(least, member.low), Infinity);
  const high = members.reduce((most, member) => Math.max(most, member.high), -Infinity);
  const most = level === Infinity ? high : level;
  if (low >= 0 && most > 0 && (high === low || high - low >= USED * most)) {
    return { depth, low: 0, high: most };
  }
  return { depth, low, high: high > low ? high : low + 1 };
}

/**
 * Whether images of a level are of a camera of their own: a fifth of all or more, most of them fill
 * their level, and nothing is just above it, as darker images of a deeper camera would be.
 */
function isOwnKind(level: number, members: readonly Extent[], all: readonly Extent[]): boolean {
  const full = members.filter((member) => size(member) > FULL * level);
  const above = all.some((other) => size(other) > level && size(other) <= 2 * level);
  return members.length >= SHARE * all.length && full.length >= 0.8 * members.length && !above;
}

/** Ranges of images of one depth that are all signed or all not. */
function rangesOfKind(extents: readonly Extent[]): PixelRange[] {
  const levels = [...new Set(extents.map(levelOf))].sort((a, b) => a - b);
  const ranges: PixelRange[] = [];
  let waiting: Extent[] = []; // darker images, which go with those of the next level
  for (const [at, level] of levels.entries()) {
    const members = extents.filter((extent) => levelOf(extent) === level);
    waiting.push(...members);
    if (at < levels.length - 1 && !isOwnKind(level, members, extents)) continue;
    ranges.push(rangeOf(level, waiting));
    waiting = [];
  }
  return ranges;
}

/**
 * The ranges by which a set of deep images is shown, whatever their order: for each depth one from 0 to
 * the least of 8, 10, 12, 14 and 16 bits that holds every value (floats: also 1), or the values that are
 * there where these are negative, over 16 bits or within a quarter of that. Only images that make up a
 * kind of their own, as of a camera with fewer bits, have a range of theirs.
 */
export function rangesOf(extents: readonly Extent[]): PixelRange[] {
  const depths = [...new Set(extents.map(({ depth }) => depth))].sort();
  return depths.flatMap((depth) => {
    const those = extents.filter((extent) => extent.depth === depth);
    const [signed, plain] = [
      those.filter(({ low }) => low < 0),
      those.filter(({ low }) => low >= 0),
    ];
    return [plain, signed].flatMap((kind) => rangesOfKind(kind));
  });
}

const width = ({ low, high }: PixelRange) => high - low;

/** The range for an image: the narrowest of its depth that holds its values, else the widest; its own where there is none. */
export function rangeFor(extent: Extent, ranges: readonly PixelRange[]): PixelRange {
  const those = ranges.filter(({ depth }) => depth === undefined || depth === extent.depth);
  const [own] = rangesOf([extent]);
  const sorted = those.sort((a, b) => width(a) - width(b));
  const holds = ({ low, high }: PixelRange) => low <= extent.low && extent.high <= high;
  return sorted.find(holds) ?? sorted.at(-1) ?? own;
}
