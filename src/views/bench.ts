import type { PixelImage } from "../core/pixels.ts";
import { randomStream } from "../core/random.ts";
import { drawViewParameters } from "./parameters.ts";
import { createRenderer } from "./draw/render.ts";
import { viewPolicy } from "./viewOptions.ts";
import type { ViewOptions } from "./viewOptions.ts";

/** Views a second on one core, of one policy and one size of source images. */
export type ViewRate = {
  name: string;
  size: number; // pixels, side of the view
  source: number; // pixels, short side of the source
  viewsPerSecond: number; // by processor time: what a free core does, also on a busy machine
  viewsPerSecondWall: number; // by the clock
};

/** A picture of soft gradients, edges and noise: colours and edges as photos have them, about. */
function syntheticImage(width: number, height: number, seed: number): PixelImage {
  const stream = randomStream(seed, "bench image");
  const data = new Uint8Array(width * height * 3);
  const waves = Array.from({ length: 9 }, () => stream.uniform(-0.15, 0.15));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const wave = Math.sin(x * waves[c] + y * waves[c + 3] + 20 * waves[c + 6]);
        const edge = x > width / 3 !== y > height / 2 ? 30 : 0;
        const value = 110 + 70 * wave + edge * (c - 1) + stream.uniform(-12, 12);
        data[(y * width + x) * 3 + c] = Math.max(0, Math.min(255, value));
      }
    }
  }
  return { width, height, channels: 3, data };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Makes views one after the other; returns a function that does so for some time and counts. */
function maker(options: ViewOptions, [width, height]: [number, number]) {
  const policy = viewPolicy(options);
  const images = Array.from({ length: 16 }, (_, i) => syntheticImage(width, height, i));
  const render = createRenderer(policy);
  const out = new Float32Array(3 * policy.size * policy.size);
  let drawn = 0;
  return (milliseconds: number) => {
    const from = drawn;
    const end = performance.now() + milliseconds;
    do {
      for (let i = 0; i < 20; i++, drawn++) {
        const stream = randomStream(1, "views", 0, drawn, 0);
        const image = images[drawn % images.length];
        render(image, drawViewParameters(policy, stream, image), out);
      }
    } while (performance.now() < end);
    return drawn - from;
  };
}

function rate(
  name: string,
  options: ViewOptions,
  source: [number, number],
  seconds: number,
): ViewRate {
  const make = maker(options, source);
  make(700); // until compiled
  const windows = Array.from({ length: Math.max(3, Math.ceil(seconds / 0.2)) }, () => {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const views = make(200);
    const wall = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { perCpu: views / ((user + system) / 1e6), perWall: views / wall };
  });
  return {
    name,
    size: viewPolicy(options).size,
    source: Math.min(...source),
    viewsPerSecond: Math.round(median(windows.map((w) => w.perCpu))),
    viewsPerSecondWall: Math.round(median(windows.map((w) => w.perWall))),
  };
}

/**
 * Measures how fast views are made on one core, drawing of parameters included: the median of windows of
 * 0.2 s, about `seconds` for each of five cases.
 */
export function benchViews({ seconds = 2 }: { seconds?: number } = {}): ViewRate[] {
  return [
    rate("small 32 from 36", { preset: "small" }, [36, 36], seconds),
    rate("small 32 from 40", { preset: "small" }, [40, 40], seconds),
    rate("photo 96 from 128", { preset: "photo" }, [170, 128], seconds),
    rate("photo 96 from 160", { preset: "photo" }, [213, 160], seconds),
    rate("moco 224 from 256", { preset: "moco" }, [341, 256], seconds),
  ];
}
