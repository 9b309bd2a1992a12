import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { PixelImage } from "../../core/pixels.ts";
import { randomStream } from "../../core/random.ts";
import type { Rectangle } from "../crop/crop.ts";
import { drawImageViews } from "../imageViews.ts";
import { identityParameters } from "../parameters.ts";
import type { ColourStep, ViewParameters } from "../parameters.ts";
import { createRenderer, renderView } from "./render.ts";
import type { RenderOptions } from "./render.ts";
import { viewPolicy } from "../viewOptions.ts";

// The referee: every transform written out pixel by pixel in float64, from torchvision's formulas.

type Picture = number[][][]; // [channel][y][x]
const grid = (h: number, w: number, at: (c: number, y: number, x: number) => number): Picture =>
  [0, 1, 2].map((c) =>
    Array.from({ length: h }, (_, y) => Array.from({ length: w }, (_, x) => at(c, y, x))),
  );
const sizeOf = (p: Picture) => [p[0].length, p[0][0].length] as const;
const clamp = (v: number) => Math.min(1, Math.max(0, v));

function weightsOf(from: number, to: number, i: number): number[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  const middle = (i + 0.5) * scale;
  const raw = Array.from({ length: from }, (_, j) =>
    Math.max(0, 1 - Math.abs(j + 0.5 - middle) / support),
  );
  const total = raw.reduce((a, b) => a + b);
  return raw.map((w) => w / total);
}

function resize(image: PixelImage, crop: Rectangle, size: number): Picture {
  return grid(size, size, (c, y, x) => {
    const down = weightsOf(crop.height, size, y);
    const across = weightsOf(crop.width, size, x);
    let sum = 0;
    down.forEach((wy, j) =>
      across.forEach((wx, i) => {
        const at = ((crop.y + j) * image.width + crop.x + i) * 3 + c;
        sum += (wy * wx * image.data[at]) / 255;
      }),
    );
    return sum;
  });
}

function turn(p: Picture, degrees: number): Picture {
  const [n] = sizeOf(p);
  const angle = (degrees * Math.PI) / 180;
  const m = (n - 1) / 2;
  return grid(n, n, (c, y, x) => {
    const u = Math.cos(angle) * (x - m) - Math.sin(angle) * (y - m) + m;
    const v = Math.sin(angle) * (x - m) + Math.cos(angle) * (y - m) + m;
    let sum = 0;
    for (let j = 0; j < n; j++)
      for (let i = 0; i < n; i++)
        sum += Math.max(0, 1 - Math.abs(u - i)) * Math.max(0, 1 - Math.abs(v - j)) * p[c][j][i];
    return sum;
  });
}

const greyAt = (p: Picture, y: number, x: number) =>
  0.2989 * p[0][y][x] + 0.587 * p[1][y][x] + 0.114 * p[2][y][x];

function toHsv(r: number, g: number, b: number): [number, number, number] {
  const [max, min] = [Math.max(r, g, b), Math.min(r, g, b)];
  const range = max - min;
  if (range === 0) return [0, 0, max];
  const [rc, gc, bc] = [(max - r) / range, (max - g) / range, (max - b) / range];
  const h = max === r ? bc - gc : max === g ? 2 + rc - bc : 4 + gc - rc;
  return [(((h / 6) % 1) + 1) % 1, range / max, max];
}

function fromHsv(h: number, s: number, v: number): [number, number, number] {
  const i = Math.floor(h * 6);
  const f = h * 6 - i;
  const [p, q, t] = [v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))];
  return (
    [
      [v, t, p],
      [q, v, p],
      [p, v, t],
      [p, q, v],
      [t, p, v],
      [v, p, q],
    ] as [number, number, number][]
  )[i % 6];
}

function colour(p: Picture, { step, amount }: ColourStep): Picture {
  const [h, w] = sizeOf(p);
  let mean = 0;
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) mean += greyAt(p, y, x) / (h * w);
  return grid(h, w, (c, y, x) => {
    const v = p[c][y][x];
    if (step === "brightness") return clamp(amount * v);
    if (step === "contrast") return clamp(amount * v + (1 - amount) * mean);
    if (step === "saturation") return clamp(amount * v + (1 - amount) * greyAt(p, y, x));
    const [hue, s, value] = toHsv(p[0][y][x], p[1][y][x], p[2][y][x]);
    return fromHsv((((hue + amount) % 1) + 1) % 1, s, value)[c];
  });
}

function blur(p: Picture, sigma: number, radius: number): Picture {
  const [h, w] = sizeOf(p);
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-0.5 * ((k - radius) / sigma) ** 2),
  );
  const total = kernel.reduce((a, b) => a + b);
  const mirror = (i: number, n: number): number =>
    i < 0 ? mirror(-i, n) : i >= n ? mirror(2 * (n - 1) - i, n) : i;
  return grid(h, w, (c, y, x) => {
    let sum = 0;
    kernel.forEach((a, j) =>
      kernel.forEach((b, i) => {
        sum +=
          ((a * b) / total / total) * p[c][mirror(y + j - radius, h)][mirror(x + i - radius, w)];
      }),
    );
    return sum;
  });
}

function referee(image: PixelImage, made: ViewParameters, options: RenderOptions): number[] {
  const n = options.size;
  const last = n - 1;
  let p = resize(image, made.crop, n);
  const start = p;
  p = grid(n, n, (c, y, x) => start[c][made.verticalFlip ? last - y : y][made.flip ? last - x : x]);
  if (made.rotation !== 0) p = turn(p, made.rotation);
  for (const step of made.jitter) p = colour(p, step);
  if (made.grey) {
    const coloured = p;
    p = grid(n, n, (_, y, x) => greyAt(coloured, y, x));
  }
  if (made.blur) p = blur(p, made.blur.sigma, made.blur.radius);
  const { solarise, cutout } = made;
  return p.flatMap((plane, c) =>
    plane.flatMap((line, y) =>
      line.map((v, x) => {
        const hole =
          cutout !== null &&
          x >= cutout.x &&
          x < cutout.x + cutout.width &&
          y >= cutout.y &&
          y < cutout.y + cutout.height;
        const value = solarise !== null && v >= solarise ? 1 - v : v;
        return hole ? 0 : (value - options.mean[c]) / options.std[c];
      }),
    ),
  );
}

function noise(width: number, height: number, seed: number): PixelImage {
  const stream = randomStream(seed, "noise");
  const data = Uint8Array.from({ length: width * height * 3 }, () => stream.integer(256));
  return { width, height, channels: 3, data };
}

function of(pixels: [number, number, number][], width = pixels.length): PixelImage {
  const data = Uint8Array.from(pixels.flat());
  return { width, height: pixels.length / width, channels: 3, data };
}

const plain = (size: number): RenderOptions => ({ size, mean: [0, 0, 0], std: [1, 1, 1] });
const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

describe("against the referee", () => {
  const all = viewPolicy({
    size: 16,
    verticalFlip: 0.5,
    rotation: { rightAngles: 0.3, probability: 0.3, degrees: 60 },
    jitter: { brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.5 },
    blur: { probability: 0.5, kernel: 5 },
    cutout: { probability: 0.4 },
    crop: { scale: [0.05, 1] },
  });

  test("views of any image by any parameters", () => {
    const options = { size: 11, mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25] } as RenderOptions;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(1000),
        fc.integer({ min: 0, max: 6 }),
        (width, height, seed, radius) => {
          const image = noise(width, height, seed);
          const [drawn] = drawImageViews(all, { seed, epoch: 0, image: 0 }, image);
          const made = { ...drawn, cutout: seed % 3 ? null : { x: 2, y: 3, width: 4, height: 2 } };
          if (made.blur) made.blur = { sigma: made.blur.sigma, radius };
          expect(far(renderView(image, made, options), referee(image, made, options))).toBeLessThan(
            2e-5,
          );
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });

  test.each([
    [8, 8, 9],
    [60, 45, 12],
    [150, 33, 7],
    [5, 7, 32],
    [1, 1, 6],
  ])("resizing %i × %i to %i", (width, height, size) => {
    const image = noise(width, height, 4);
    const made = identityParameters(image);
    const got = renderView(image, made, plain(size));
    expect(far(got, referee(image, made, plain(size)))).toBeLessThan(1e-6);
  });

  test.each([1, 2, 3, 4, 5, 11, 30])("blur of radius %i, larger than the view too", (radius) => {
    for (const size of [4, 9, 10, 11, 12]) {
      const image = noise(size, size, radius);
      const made = { ...identityParameters(image), blur: { sigma: 1.7, radius } };
      const got = renderView(image, made, plain(size));
      expect(far(got, referee(image, made, plain(size)))).toBeLessThan(1e-6);
    }
  });

  test("every order of the four colour steps", () => {
    const image = noise(9, 9, 2);
    const names = ["brightness", "contrast", "saturation", "hue"] as const;
    const orders = names.flatMap((a) =>
      names.flatMap((b) =>
        names.flatMap((c) =>
          names.map((d) => [a, b, c, d]).filter((order) => new Set(order).size === 4),
        ),
      ),
    );
    expect(orders).toHaveLength(24);
    for (const factors of [
      [1.4, 0.7, 1.3, 0.4],
      [0.6, 1.5, 0.5, -0.45],
      [0.8, 0.9, 0.7, -0.1],
    ]) {
      for (const order of orders) {
        const jitter = order.map((step) => ({ step, amount: factors[names.indexOf(step)] }));
        const made = { ...identityParameters(image), jitter, grey: factors[0] > 1 };
        const got = renderView(image, made, plain(9));
        expect(far(got, referee(image, made, plain(9)))).toBeLessThan(1e-6);
      }
    }
  });

  test("solarising after jitter and grey", () => {
    const image = noise(9, 9, 8);
    const jitter: ColourStep[] = [{ step: "saturation", amount: 0.3 }];
    for (const grey of [false, true]) {
      const made = { ...identityParameters(image), jitter, grey, solarise: 0.5003 };
      const got = renderView(image, made, plain(9));
      expect(far(got, referee(image, made, plain(9)))).toBeLessThan(1e-6);
    }
  });
});

describe("values worked out by hand", () => {
  const view = (image: PixelImage, change: Partial<ViewParameters>) => {
    const values = renderView(
      image,
      { ...identityParameters(image), ...change },
      plain(image.width),
    );
    return Array.from(values, (v) => Math.round(v * 255 * 1000) / 1000);
  };
  const step = (name: ColourStep["step"], amount: number) => [{ step: name, amount }];
  const one = of([[200, 100, 50]]);

  test("shrinking 4 to 2 weighs 3 : 3 : 1, as antialiasing asks for", () => {
    const line = [0, 70, 140, 210].map((v): [number, number, number] => [v, v, v]);
    const image = of([...line, ...line, ...line, ...line], 4);
    const values = renderView(image, identityParameters(image), plain(2));
    // (3·0 + 3·70 + 140) / 7 = 50, (70 + 3·140 + 3·210) / 7 = 160
    expect([...values].map((v) => Math.round(v * 255 * 1e3) / 1e3)).toEqual(
      [0, 1, 2].flatMap(() => [50, 160, 50, 160]),
    );
  });

  test("brightness multiplies and clamps", () => {
    expect(view(one, { jitter: step("brightness", 0.5) })).toEqual([100, 50, 25]);
    expect(view(one, { jitter: step("brightness", 1.5) })).toEqual([255, 150, 75]);
  });

  test("saturation blends with the pixel's grey", () => {
    // grey = 0.2989·200 + 0.587·100 + 0.114·50 = 124.18; 0.5·200 + 0.5·124.18 = 162.09
    expect(view(one, { jitter: step("saturation", 0.5) })).toEqual([162.09, 112.09, 87.09]);
    expect(view(one, { jitter: step("saturation", 0) })).toEqual([124.18, 124.18, 124.18]);
    expect(view(one, { grey: true })).toEqual([124.18, 124.18, 124.18]);
  });

  test("contrast blends with the mean grey of the view", () => {
    // greys 124.18 and 0: mean 62.09; 0.5·200 + 31.045 = 131.045, 0.5·0 + 31.045 = 31.045
    const two = of(
      [
        [200, 100, 50],
        [0, 0, 0],
        [0, 0, 0],
        [200, 100, 50],
      ],
      2,
    );
    const got = view(two, { jitter: step("contrast", 0.5) });
    expect(got.slice(0, 4)).toEqual([131.045, 31.045, 31.045, 131.045]);
    expect(got.slice(4, 6)).toEqual([81.045, 31.045]);
  });

  test("a third of the circle turns red to green, and back to blue", () => {
    const red = of([[255, 0, 0]]);
    expect(view(red, { jitter: step("hue", 1 / 3) })).toEqual([0, 255, 0]);
    expect(view(red, { jitter: step("hue", -1 / 3) })).toEqual([0, 0, 255]);
    expect(view(red, { jitter: step("hue", 0.5) })).toEqual([0, 255, 255]);
    expect(view(red, { jitter: step("hue", 1 / 12) })).toEqual([255, 127.5, 0]);
    expect(view(of([[90, 90, 90]]), { jitter: step("hue", 0.3) })).toEqual([90, 90, 90]);
  });

  test("mirrors and turns: letters a b / c d", () => {
    const [a, b, c, d] = [10, 20, 30, 40];
    const image = of(
      [a, b, c, d].map((v): [number, number, number] => [v, v, v]),
      2,
    );
    const seen = (change: Partial<ViewParameters>) => view(image, change).slice(0, 4);
    expect(seen({})).toEqual([a, b, c, d]);
    expect(seen({ flip: true })).toEqual([b, a, d, c]);
    expect(seen({ verticalFlip: true })).toEqual([c, d, a, b]);
    expect(seen({ rotation: 90 })).toEqual([b, d, a, c]); // counter-clockwise
    expect(seen({ rotation: 180 })).toEqual([d, c, b, a]);
    expect(seen({ rotation: -90 })).toEqual([c, a, d, b]);
    expect(seen({ flip: true, rotation: 90 })).toEqual([a, c, b, d]);
    expect(seen({ rotation: 90 + 1e-9 })).toEqual([b, d, a, c]);
  });

  test("cutout leaves the mean colour, 0 after normalisation", () => {
    const image = noise(6, 6, 1);
    const options = { size: 6, mean: [0.1, 0.2, 0.3], std: [0.5, 0.5, 0.5] } as RenderOptions;
    const cutout = { x: 1, y: 2, width: 3, height: 2 };
    const got = renderView(image, { ...identityParameters(image), cutout }, options);
    const whole = renderView(image, identityParameters(image), options);
    const changed = [...got].flatMap((v, i) => (v === whole[i] ? [] : [i % 36]));
    expect(changed.slice(0, 6)).toEqual([13, 14, 15, 19, 20, 21]);
    expect(changed.every((i) => got[i] === 0)).toBe(true);
  });
});

describe("laws", () => {
  test("identity parameters give the image itself", () => {
    for (const side of [1, 2, 32, 97]) {
      const image = noise(side, side, side);
      const got = renderView(image, identityParameters(image), plain(side));
      image.data.forEach((byte, i) => {
        const value = got[(i % 3) * side * side + Math.floor(i / 3)];
        if (Math.abs(value - byte / 255) > 1e-7) throw new Error(`${i}: ${value} for ${byte}`);
      });
    }
  });

  test("an image of one colour stays that colour under crop, turn, mirror and blur", () => {
    const image = of(
      Array.from({ length: 35 }, () => [200, 100, 50]),
      7,
    );
    const made = {
      ...identityParameters(image),
      crop: { x: 1, y: 0, width: 5, height: 4 },
      flip: true,
      rotation: 270,
      blur: { sigma: 1.3, radius: 3 },
    };
    const got = renderView(image, made, plain(13));
    const expected = Array.from(got, (_, i) => [200, 100, 50][Math.floor(i / 169)] / 255);
    expect(far(got, expected)).toBeLessThan(1e-6);
  });

  test("recorded parameters, through JSON, replay the view bit for bit", () => {
    const policy = viewPolicy({
      preset: "photo",
      size: 20,
      rotation: { probability: 0.5, degrees: 30 },
      solarise: { probability: 0.3 },
      cutout: { probability: 0.5 },
    });
    const render = createRenderer(policy);
    for (let image = 0; image < 30; image++) {
      const pixels = noise(25 + image, 40 - image, image);
      drawImageViews(policy, { seed: 1, epoch: 2, image }, pixels).forEach((made) => {
        const first = new Float32Array(1200);
        render(pixels, made, first);
        const again = JSON.parse(JSON.stringify(made)) as ViewParameters;
        expect(again).toEqual(made);
        expect(renderView(pixels, again, policy)).toEqual(first);
      });
    }
  });

  test("rendering writes its own rows of a batch only, and leaves the pixels alone", () => {
    const image = noise(12, 12, 3);
    const before = image.data.slice();
    const out = new Float32Array(3 * 3 * 64).fill(7);
    const policy = viewPolicy({ size: 8 });
    const [made] = drawImageViews(policy, { seed: 0, epoch: 0, image: 0 }, image);
    createRenderer(policy)(image, made, out, 192);
    expect(out.subarray(0, 192).every((v) => v === 7)).toBe(true);
    expect(out.subarray(384).every((v) => v === 7)).toBe(true);
    expect(out.subarray(192, 384)).toEqual(renderView(image, made, policy));
    expect(image.data).toEqual(before);
  });
});

describe("what is refused", () => {
  const image = noise(4, 4, 0);
  test("a crop outside the image", () => {
    const made = { ...identityParameters(image), crop: { x: 1, y: 0, width: 4, height: 4 } };
    expect(() => renderView(image, made, plain(4))).toThrow(
      "renderView: crop 4 × 4 at (1, 0) does not lie in the image of 4 × 4 pixels",
    );
  });
  test("too few bytes", () => {
    const short = { ...image, data: image.data.subarray(1) };
    expect(() => renderView(short, identityParameters(image), plain(4))).toThrow(
      "renderView: image has 47 bytes, expected 48 for 4 × 4 pixels",
    );
  });
});
