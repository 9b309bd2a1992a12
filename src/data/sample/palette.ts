import type { RandomStream } from "../../core/random.ts";
import type { SampleFactors } from "./factors.ts";
import type { SampleOptions } from "./sampleOptions.ts";

/** Red, green and blue in [0, 1], sRGB. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The colours of one image. */
export type Palette = {
  fill: Rgb;
  fillTone: Rgb; // second tone of the texture
  outline: Rgb;
  ground: Rgb;
  groundTone: Rgb; // other end of a gradient, a glow or clouds
  clutter: readonly [Rgb, Rgb]; // from one side of the image to the other
};

function encoded(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
}

/**
 * OKLCH to sRGB, clipped to [0, 1]. Lightness in [0, 1], chroma from 0 to about 0.3, hue in degrees.
 * Constants: B. Ottosson, "A perceptual color space for image processing" (2020).
 */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** The colour a share of the way from one colour to another. */
export function mixed(from: Rgb, to: Rgb, share: number): Rgb {
  return [
    from[0] + share * (to[0] - from[0]),
    from[1] + share * (to[1] - from[1]),
    from[2] + share * (to[2] - from[2]),
  ];
}

/**
 * Colours that go together: a saturated object on a muted ground of another hue. Ground and contour
 * line are light or dark, each for itself, and the object's own colour lies between.
 */
export function drawPalette(
  factors: SampleFactors,
  options: SampleOptions,
  stream: RandomStream,
): Palette {
  const { hue, backgroundHue, darkGround, lightLine, vividness } = factors;
  const stray = (spread: number) => options.colourJitter * stream.uniform(-spread, spread);
  const chroma = 0.19 * options.colourfulness * vividness;
  const muted = chroma * stream.uniform(0.15, 0.4);
  const sunny = 0.06 * Math.cos(((hue - 100) * Math.PI) / 180); // a dark yellow is brown
  const lightness = (darkGround ? 0.69 : 0.61) + (lightLine ? -0.05 : 0.05) + stray(0.1) + sunny;
  const ground = (darkGround ? 0.36 : 0.87) + stray(0.1);
  const inward = darkGround ? 0.12 : -0.12;
  const tone = (lightLine ? -0.36 : 0.3) * options.textureStrength;
  return {
    fill: oklch(lightness, chroma, hue),
    fillTone: oklch(lightness + tone, chroma * 0.85, hue + 12),
    outline: lightLine ? oklch(0.97, 0.2 * chroma, hue) : oklch(0.27, 0.5 * chroma, hue),
    ground: oklch(ground, muted, backgroundHue),
    groundTone: oklch(ground + inward, muted * 1.3, backgroundHue + 30),
    clutter: [
      oklch(ground + 2 * inward, muted * 1.6, backgroundHue - 20),
      oklch(ground + 1.4 * inward, muted * 1.6, backgroundHue + 60),
    ],
  };
}
