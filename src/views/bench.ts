import type { PixelImage } from "../core/pixels.ts";
import { randomStream } from "../core/random.ts";
import { drawViewParameters } from "./parameters.ts";
import { createRenderer } from "./render.ts";
import { viewPolicy } from "./viewOptions.ts";
import type { ViewOptions } from "./viewOptions.ts";

/** Views a second on one core, of one policy and one size of source images. */
export type ViewRate = {
  name: string;
  size: number; // pixels, side of the view
  source: number; // pixels, short side of the source
  viewsPerSecond: number; // of processor time on this thread
  viewsPerSecondWall: number;
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

function rate(
  name: string,
  options: ViewOptions,
  [width, height]: [number, number],
  seconds: number,
): ViewRate {
  const policy = viewPolicy(options);
  const images = Array.from({ length: 16 }, (_, i) => syntheticImage(width, height, i));
  const render = createRenderer(policy);
  const out = new Float32Array(3 * policy.size * policy.size);
  let drawn = 0;
  const make = (until: number) => {
    const from = drawn;
    while (performance.now() < until) {
      for (let i = 0; i < 20; i++, drawn++) {
        const stream = randomStream(1, "views", 0, drawn, 0);
        const image = images[drawn % images.length];
        render(image, drawViewParameters(policy, stream, image), out);
      }
    }
    return drawn - from;
  };
  make(performance.now() + 700); // until compiled
  const cpu = process.cpuUsage();
  const start = performance.now();
  const views = make(start + seconds * 1000);
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    name,
    size: policy.size,
    source: Math.min(width, height),
    viewsPerSecond: Math.round(views / ((user + system) / 1e6)),
    viewsPerSecondWall: Math.round(views / wall),
  };
}

/** Measures how fast views are made on one core, drawing of parameters included; a few seconds. */
export function benchViews({ seconds = 2 }: { seconds?: number } = {}): ViewRate[] {
  return [
    rate("small 32 from 36", { preset: "small" }, [36, 36], seconds),
    rate("small 32 from 40", { preset: "small" }, [40, 40], seconds),
    rate("photo 96 from 128", { preset: "photo" }, [170, 128], seconds),
    rate("photo 96 from 160", { preset: "photo" }, [213, 160], seconds),
    rate("moco 224 from 256", { preset: "moco" }, [341, 256], seconds),
  ];
}
