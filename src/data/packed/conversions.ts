import type { FileFacts } from "../pixels/decodeBytes.ts";
import type { DeepFacts } from "../pixels/deepPixels.ts";

/** What was done to pixels, or is to be known of them, and of how many images. */
export type Conversion = { readonly images: number; readonly what: string };

/** An image as far as its pixels go. */
export type ImageFacts = Partial<FileFacts> & { readonly blank?: boolean | undefined };

const grounds: Record<number, string> = { 255: "white", 128: "grey", 0: "black" };

const depths: Record<DeepFacts["depth"], string> = {
  char: "signed 8 bits",
  short: "signed 16 bits",
  ushort: "16 bits",
  int: "signed 32 bits",
  uint: "32 bits",
  float: "floats",
};

const rounded = (value: number) => Number(value.toPrecision(6));

function deepText({ depth, shown: [low, high] }: DeepFacts): string {
  const bits = Math.log2(high + 1);
  if (depth === "ushort" && low === 0 && bits === 16) return "of 16 bits: 8 of them kept";
  if (depth === "ushort" && low === 0 && Number.isInteger(bits)) {
    return `of 16 bits used ${bits}: scaled`;
  }
  return `of ${depths[depth]}: ${rounded(low)} shown black, ${rounded(high)} white`;
}

const isCut = ({ low, high, shown }: DeepFacts) => low < shown[0] || high > shown[1];
const isAnimation = (format: string) => ["gif", "webp", "png"].includes(format);

/** What an image says of its own conversions, each in the words that images are counted by. */
function* textsOf({ deep, frames, format = "", ground, space, damaged, blank }: ImageFacts) {
  if (deep !== undefined) {
    yield deepText(deep);
    if (isCut(deep)) yield "with values beyond what is shown: cut off";
    if (deep.noValue !== undefined) yield "with numbers that are not finite: shown black";
    if (deep.fewLevels === true) yield "left with few grey levels: say --range low,high";
  }
  if (frames !== undefined) {
    yield isAnimation(format) ? "animated: first frame" : "of several pages: first page";
  }
  if (ground !== undefined) yield `transparent: on ${grounds[ground]} ground`;
  if (space === "cmyk") yield "of CMYK: converted to RGB";
  if (damaged === true) yield "damaged: what could be decoded";
  if (blank === true) yield "of one colour: nothing to see";
}

/** Conversions of images, counted by kind, the most frequent first. */
export function conversionsOf(images: Iterable<ImageFacts>): Conversion[] {
  const counts = new Map<string, number>();
  for (const image of images) {
    for (const what of textsOf(image)) counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts]
    .map(([what, count]) => ({ images: count, what }))
    .sort((a, b) => b.images - a.images || (a.what < b.what ? -1 : 1));
}

/** Conversions in one line: "12 images of 16 bits used 12: scaled; 1 image animated: first frame". */
export const conversionLine = (conversions: readonly Conversion[]): string =>
  conversions
    .map(({ images, what }) => {
      const noun = images === 1 ? "image" : "images";
      return `${images.toLocaleString("en")} ${noun} ${what}`;
    })
    .join("; ");
