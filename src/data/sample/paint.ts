import type { PixelImage } from "../../core/pixels.ts";
import { randomStream } from "../../core/random.ts";
import type { RandomStream } from "../../core/random.ts";
import type { Coverage } from "./coverage.ts";
import type { SampleFactors } from "./factors.ts";
import { polar } from "./geometry.ts";
import type { Point } from "./geometry.ts";
import { drawPalette, mixed } from "./palette.ts";
import type { Rgb } from "./palette.ts";
import { grounds, textures } from "./patterns.ts";
import type { SampleOptions } from "./sampleOptions.ts";
import type { Scene } from "./scene.ts";

/** A colour for each point of the image, in pixels. */
type Paint = (x: number, y: number) => Rgb;

function turning(degrees: number): (x: number, y: number) => Point {
  const [cos, sin] = polar(1, degrees / 360);
  return (x, y) => [x * cos + y * sin, y * cos - x * sin];
}

function fillPaint(
  { size, textureStrength }: SampleOptions,
  factors: SampleFactors,
  { centre }: Scene,
  [from, to]: readonly [Rgb, Rgb],
  seed: number,
): Paint {
  const period = factors.textureScale * size; // pixels
  const pattern = textures[factors.texture](1 / period, (factors.size * size) / period / 2, seed);
  const turn = turning(factors.rotation + factors.textureTurn);
  if (factors.texture === "plain" || textureStrength === 0) return () => from;
  return (x, y) => {
    const [u, v] = turn((x - centre[0]) / period, (y - centre[1]) / period);
    return mixed(from, to, pattern(u, v));
  };
}

function groundPaint(
  side: number,
  factors: SampleFactors,
  [from, to]: readonly [Rgb, Rgb],
  seed: number,
): Paint {
  if (factors.background === "plain") return () => from;
  const pattern = grounds[factors.background](seed);
  const turn = turning(factors.backgroundTurn);
  return (x, y) => mixed(from, to, pattern(...turn((2 * x) / side - 1, (2 * y) / side - 1)));
}

type Light = { gain: number; contrast: number; slope: Point };

function drawLight(
  { lighting }: SampleOptions,
  factors: SampleFactors,
  stream: RandomStream,
): Light {
  const level = { dim: -1, even: 0, bright: 1 }[factors.lighting] * stream.uniform(0.5, 1);
  const slope = lighting * stream.uniform(0, 0.35);
  return {
    gain: 1 + (level < 0 ? 0.4 : 0.25) * lighting * level,
    contrast: 1 + lighting * stream.uniform(-0.3, 0.15),
    slope: polar(slope, factors.lightTurn / 360),
  };
}

/** Colours a coverage map: ground, clutter, object, then light and grain. Returns RGB [size, size, 3]. */
export function paintImage(
  options: SampleOptions,
  factors: SampleFactors,
  scene: Scene,
  coverage: Coverage,
): PixelImage {
  const side = options.size;
  const stream = randomStream(options.seed, factors.split, "paint", factors.index);
  const palette = drawPalette(factors, options, stream);
  const light = drawLight(options, factors, stream);
  const seed = stream.bits();
  const fill = fillPaint(options, factors, scene, [palette.fill, palette.fillTone], seed);
  const ground = groundPaint(side, factors, [palette.ground, palette.groundTone], seed);
  const data = new Uint8Array(side * side * 3);
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at += 3) {
      const [red, green, blue] = [coverage[at], coverage[at + 1], coverage[at + 2]];
      const bare = Math.max(0, 255 - red - green - blue);
      const inside = red > 0 ? fill(x + 0.5, y + 0.5) : palette.fill;
      const outside = bare > 0 ? ground(x + 0.5, y + 0.5) : palette.ground;
      const mark = blue > 0 ? mixed(...palette.clutter, x / side) : palette.ground;
      const shade =
        light.gain *
        (1 + light.slope[0] * ((2 * x) / side - 1) + light.slope[1] * ((2 * y) / side - 1));
      const noise = 0.09 * options.grain * (stream.uniform() + stream.uniform() - 1);
      for (let channel = 0; channel < 3; channel++) {
        const mixture =
          (inside[channel] * red +
            palette.outline[channel] * green +
            mark[channel] * blue +
            outside[channel] * bare) /
          255;
        const lit = (0.5 + (mixture - 0.5) * light.contrast) * shade + noise;
        data[at + channel] = Math.min(255, Math.max(0, Math.round(255 * lit)));
      }
    }
  }
  return { width: side, height: side, channels: 3, data };
}
