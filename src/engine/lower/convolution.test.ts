import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { grad, lax, nn, numpy as np } from "@jax-js/jax";
import { describe, expect, test, vi } from "vitest";

import { compile } from "../compile.ts";
import { blockSize } from "../device.ts";
import type { Spec } from "../spec.ts";
import { expectSame, normals } from "../testing.ts";

type A = np.Array;
type Shape = {
  n: number;
  c: number;
  o: number;
  h: number;
  k: number;
  s?: number;
  p?: number;
  d?: number;
  g?: number;
};

const convolve =
  ({ s = 1, p = 0, d = 1, g = 1 }: Shape) =>
  (x: A, w: A): A =>
    lax.convGeneralDilated(
      x,
      w,
      [s, s],
      [
        [p, p],
        [p, p],
      ],
      { rhsDilation: [d, d], featureGroupCount: g },
    );

/** A smooth function of the result whose gradient differs from place to place. */
const weigh = (y: A): A => np.square(y).sum();

const shapes: Record<string, Shape> = {
  "few channels": { n: 2, c: 3, o: 4, h: 5, k: 3, p: 1 },
  "no padding": { n: 2, c: 2, o: 3, h: 5, k: 3 },
  "one by one": { n: 2, c: 3, o: 4, h: 4, k: 1 },
  "stride 2": { n: 2, c: 3, o: 4, h: 6, k: 3, s: 2, p: 1 },
  "stride 2 of an odd size": { n: 2, c: 2, o: 3, h: 5, k: 3, s: 2, p: 1 },
  "one by one, stride 2": { n: 2, c: 3, o: 4, h: 6, k: 1, s: 2 },
  "seven by seven, stride 2": { n: 1, c: 3, o: 2, h: 10, k: 7, s: 2, p: 3 },
  "dilation 2": { n: 2, c: 2, o: 3, h: 7, k: 3, p: 2, d: 2 },
  "stride 4, as patches": { n: 2, c: 3, o: 4, h: 8, k: 4, s: 4 },
  groups: { n: 2, c: 4, o: 6, h: 5, k: 3, p: 1, g: 2 },
  depthwise: { n: 2, c: 4, o: 4, h: 5, k: 3, p: 1, s: 2, g: 4 },
  "blocks of channels": { n: 2, c: 16, o: 16, h: 3, k: 3, p: 1 },
  "blocks, batch of a block": { n: 16, c: 16, o: 16, h: 3, k: 3, p: 1 },
  "blocks, stride 2": { n: 16, c: 16, o: 16, h: 4, k: 3, s: 2, p: 1 },
  "blocks, one by one, stride 2": { n: 16, c: 16, o: 16, h: 4, k: 1, s: 2 },
  "blocks from three channels": { n: 16, c: 3, o: 16, h: 4, k: 3, p: 1 },
  "blocks, odd batch": { n: 3, c: 16, o: 16, h: 4, k: 3, p: 1 },
  "blocks, odd size with stride 2": { n: 16, c: 16, o: 16, h: 3, k: 3, s: 2, p: 1 },
  "blocks from 24 channels": { n: 2, c: 24, o: 16, h: 3, k: 3, p: 1 },
};

describe("convolution", () => {
  for (const [name, shape] of Object.entries(shapes)) {
    const { n, c, o, h, k, g = 1 } = shape;
    const args = normals(21, [n, c, h, h], [o, c / g, k, k]);
    const fn = convolve(shape);
    test(`${name}: forward`, () => expectSame((x: A, w: A) => fn(x, w), args));
    test(`${name}: gradients of input and weights`, () =>
      expectSame(
        (x: A, w: A) => grad((p: { x: A; w: A }) => weigh(fn(p.x, p.w)))({ x, w }),
        args,
        2e-5,
      ));
  }
  test("on one axis and on three", () =>
    expectSame(
      (x: A, w: A, y: A, v: A) => [lax.conv(x, w, [1], "SAME"), lax.conv(y, v, [1, 1, 1], "SAME")],
      normals(22, [2, 3, 6], [4, 3, 3], [1, 2, 4, 4, 4], [3, 2, 3, 3, 3]),
    ));
});

type Net = { x: A; w1: A; w2: A; w3: A; scale: A; shift: A };

/** A net in which everything per-channel that feature maps meet occurs. */
function tinyNet({ x, w1, w2, w3, scale, shift }: Net): A {
  const normalise = (y: A) => {
    const centred = y.ref.sub(y.mean([0, 2, 3], { keepdims: true }));
    const variance = np.square(centred.ref).mean([0, 2, 3], { keepdims: true });
    return centred
      .mul(np.reciprocal(np.sqrt(variance.add(1e-5))))
      .mul(scale.ref.reshape([1, -1, 1, 1]))
      .add(shift.ref.reshape([1, -1, 1, 1]));
  };
  const pad = { p: 1, n: 0, c: 0, o: 0, h: 0, k: 0 };
  const first = nn.relu(normalise(convolve(pad)(x, w1)));
  const inner = nn.relu(normalise(convolve(pad)(first.ref, w2)));
  const second = normalise(convolve({ ...pad, s: 2 })(inner, w3.ref));
  const short = normalise(convolve({ ...pad, s: 2 })(first, w3));
  const pooled = nn.relu(second.add(short)).mean([2, 3]);
  scale.dispose();
  shift.dispose();
  return np.square(pooled.ref.sub(pooled.mul(pooled.ref))).sum();
}

describe("feature maps", () => {
  for (const channels of [16, 6]) {
    test(`a normalised residual net of ${channels} channels, forward and every gradient`, () => {
      const kernel = [channels, channels, 3, 3];
      const shapes = [[8, 3, 3, 3], [channels, 3, 3, 3], kernel, kernel, [channels], [channels]];
      const names = ["x", "w1", "w2", "w3", "scale", "shift"];
      const net = Object.fromEntries(normals(23, ...shapes).map((a, i) => [names[i], a]));
      return expectSame((arrays: Net) => grad(tinyNet)(arrays), [net], 1e-4);
    });
  }

  test("images counted as channels, as split batch normalisation does", () =>
    expectSame(
      (x: A, w: A) => {
        const objective = (p: { x: A; w: A }) => {
          const y = lax.conv(p.x, p.w, [1, 1], "SAME").reshape([2, 32, 3, 3]);
          const centred = y.ref.sub(y.mean([0, 2, 3], { keepdims: true }));
          return weigh(nn.relu(centred.reshape([4, 16, 3, 3]))).mul(0.1);
        };
        return grad(objective)({ x, w });
      },
      normals(27, [4, 16, 3, 3], [16, 16, 1, 1]),
      2e-5,
    ));

  test("Winograd's way gives the same, forward and in both gradients", () => {
    const ways = {
      "convolution 2,16,4,8,16,0": "winograd",
      "convolution 2,16,4,8,16,1": "winograd",
      "weightGradient 16,2,4,8,16,2,4,8,1,1,1,1,1,1": "winograd",
    };
    return expectSame(
      (x: A, w: A) => {
        const objective = (p: { x: A; w: A }) => weigh(lax.conv(p.x, p.w, [1, 1], "SAME").mul(0.1));
        const y = lax.conv(x.ref, w.ref, [1, 1], "SAME");
        return [y, grad(objective)({ x, w })];
      },
      normals(26, [2, 16, 4, 8], [16, 16, 3, 3]),
      2e-5,
      { tune: ways },
    );
  });

  test("ways are timed once and remembered", async () => {
    const folder = await mkdtemp(join(tmpdir(), "contrapose-"));
    vi.stubEnv("CONTRAPOSE_CACHE", folder);
    const fn = (x: A, w: A) => lax.conv(x, w, [1, 1], "SAME");
    const specs: Spec[] = [
      { dtype: "float32", shape: [2, 16, 8, 8] },
      { dtype: "float32", shape: [16, 16, 3, 3] },
    ];
    const program = await compile(fn, specs, { threads: 1 });
    const table = JSON.parse(await readFile(join(folder, "lowerings.json"), "utf8")) as object;
    expect(Object.values(table)).toEqual([program.choices]);
    const again = await compile(fn, specs, { threads: 1 });
    expect(again.hash).toBe(program.hash);
    expect(
      Object.values(program.choices).every((way) => ["direct", "winograd"].includes(way)),
    ).toBe(true);
    await program.dispose();
    await again.dispose();
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  test("the variance of a channel that is constant is not negative", () =>
    expectSame(
      (x: A, w: A) => {
        const y = lax.conv(x, w, [1, 1], "VALID").mul(0).add(1234.567);
        const centred = y.ref.sub(y.mean([0, 2, 3], { keepdims: true }));
        return np.sqrt(np.square(centred).mean([0, 2, 3])).mul(1e-6);
      },
      normals(24, [2, 16, 3, 3], [16, 16, 1, 1]),
    ));
  test("max pooling and average pooling, forward and gradient", () =>
    expectSame(
      (x: A, w: A) => {
        const pool = (v: A) => {
          const y = lax.conv(v, w.ref, [1, 1], "SAME");
          const padded = np.pad(y.ref, [
            [0, 0],
            [0, 0],
            [1, 1],
            [1, 1],
          ]);
          const maximum = lax.reduceWindow(padded, np.max, [3, 3], [2, 2]);
          return weigh(maximum).add(weigh(lax.reduceWindow(y, np.mean, [2, 2], [2, 2])));
        };
        const result = grad(pool)(x);
        w.dispose();
        return result;
      },
      normals(25, [2, 16, 4, 4], [16, 16, 3, 3]),
      2e-5,
    ));
  test("the blocked layout is what these tests ran on, where the CPU has one", async () => {
    expect([0, 8, 16]).toContain(await blockSize());
  });
});
