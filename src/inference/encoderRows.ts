import type { PixelImage } from "../core/pixels.ts";
import { createByteResizer, type Rectangle, type Size } from "../views/index.ts";
import { type ImageSource, imageRows, type Rows } from "./embedder.ts";
import type { InputFormat } from "./format.ts";

function halfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** The size that an image is resized to before cutting: its short side to floor(size / share), or both sides. */
function sizeBefore(
  { imageSize, crop }: Pick<InputFormat, "imageSize" | "crop">,
  { width, height }: Size,
): Size {
  const { of = "square", share = 1 } = crop ?? {};
  const short = Math.max(imageSize, Math.floor(imageSize / share));
  if (of === "whole") return { width: short, height: short };
  const long = Math.trunc((short * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

/** What an encoder is fed of an image, as timm and transformers cut it: where to resize to, and the part in the middle. */
export function inputCut(
  format: Pick<InputFormat, "imageSize" | "crop">,
  image: Size,
): { to: Size; window: Rectangle } {
  const { imageSize: side } = format;
  const to = sizeBefore(format, image);
  const [x, y] = [to.width, to.height].map((length) => halfToEven((length - side) / 2));
  return { to, window: { x, y, width: side, height: side } };
}

/** Value of each byte as an input of each channel: float32 operations in the order of torchvision. */
const valuesOf = ({ mean, std }: Pick<InputFormat, "mean" | "std">) =>
  mean.map((middle, c) =>
    Float32Array.from({ length: 256 }, (_, byte) => {
      const centred = Math.fround(Math.fround(byte / 255) - Math.fround(middle));
      return centred / Math.fround(std[c]);
    }),
  );

/** Writes pixels [S, S, 3] as planes [3, S, S]. */
function writePlanes(
  pixels: Uint8Array,
  values: readonly Float32Array[],
  out: Float32Array,
  offset: number,
): void {
  const count = pixels.length / 3;
  values.forEach((value, c) => {
    for (let i = 0, at = offset + c * count; i < count; i++) out[at + i] = value[pixels[3 * i + c]];
  });
}

function originalRows(
  originals: AsyncIterator<PixelImage>,
  format: InputFormat,
  count: number,
): Rows {
  const resize = createByteResizer(format.interpolation ?? "bilinear");
  const values = valuesOf(format);
  return {
    count,
    async fill(_, out, offset) {
      const { value: image, done = false } = await originals.next();
      if (done) throw new RangeError(`there are not ${count} images to embed`);
      const { to, window } = inputCut(format, image as PixelImage);
      writePlanes(resize(image as PixelImage, to, window), values, out, offset);
    },
    async close() {
      await originals.return?.();
    },
  };
}

/**
 * Side of the views that stored images must be large enough for; undefined for an encoder that is fed of the original
 * files, beside which they are looked at by people only.
 */
export const storedFor = ({ imageSize, crop }: InputFormat): number | undefined =>
  crop === undefined ? imageSize : undefined;

/**
 * Images, all or those of `indices`, which ascend, as rows to embed. Of an encoder that says how its images are cut they
 * are made of the original files, pixel for pixel as timm and transformers make them with PIL, where these are at hand;
 * else of the stored images. Each row is asked for once, in order.
 */
export function encoderRows(
  images: ImageSource,
  format: InputFormat,
  indices: ArrayLike<number> = Array.from({ length: images.count }, (_, i) => i),
): Rows {
  if (format.crop === undefined || images.originals === undefined) {
    return imageRows(images, format, indices);
  }
  const originals = images.originals(indices)[Symbol.asyncIterator]();
  return originalRows(originals, format, indices.length);
}
