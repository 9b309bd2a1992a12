import { grad, lax, numpy as np, vjp } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { HostArray } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { compile } from "./compile.ts";
import { descending, expectSame, indices, normals, tied } from "./testing.ts";

type A = np.Array;

const seeded = (numRuns: number) => ({ seed: 17, numRuns });
const upTo = (max: number, min = 1) => fc.integer({ min, max });
const both = (max: number, min = 1) => fc.tuple(upTo(max, min), upTo(max, min));
const weigh = (y: A): A => np.square(y).sum();

describe("convolutions of any shape, stride, padding, dilation and groups", () => {
  const shapes = fc
    .record({
      images: upTo(3),
      groups: fc.constantFrom(1, 1, 2, 4),
      inputs: fc.constantFrom(1, 2, 3, 8, 16), // of a group
      outputs: fc.constantFrom(1, 2, 4, 16),
      size: both(7),
      kernel: both(3),
      stride: both(3),
      dilation: both(2),
      padding: fc.tuple(both(2, 0), both(2, 0)),
    })
    .filter(({ size, kernel, dilation, padding }) =>
      [0, 1].every((axis) => {
        const reach = dilation[axis] * (kernel[axis] - 1); // of a kernel beyond its first entry
        const [low, high] = padding[axis];
        return Math.max(low, high) <= reach && size[axis] + low + high > reach;
      }),
    );

  test("are those of jax-js, and so are both their gradients", () =>
    fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const { images, groups, inputs, outputs, size, kernel, stride, dilation, padding } = shape;
        const args = normals(
          31,
          [images, groups * inputs, ...size],
          [groups * outputs, inputs, ...kernel],
        );
        const fn = (x: A, w: A): A =>
          lax.convGeneralDilated(x, w, stride, padding, {
            rhsDilation: dilation,
            featureGroupCount: groups,
          });
        await expectSame(
          (x: A, w: A) => [
            fn(x.ref, w.ref),
            grad((p: { x: A; w: A }) => weigh(fn(p.x, p.w)))({ x, w }),
          ],
          args,
          2e-5,
        );
      }),
      seeded(20),
    ));
});

describe("products, sums and windows of any shape", () => {
  test("batches of matrices, either of them transposed, with gradients", () => {
    const shapes = fc.record({
      batch: fc.array(upTo(3), { maxLength: 2 }),
      sizes: fc.tuple(upTo(5), upTo(5), upTo(17)),
      turned: fc.tuple(fc.boolean(), fc.boolean()),
    });
    return fc.assert(
      fc.asyncProperty(shapes, async ({ batch, sizes: [n, m, k], turned: [left, right] }) => {
        const last = (a: number, b: number, turn: boolean) => [
          ...batch,
          ...(turn ? [b, a] : [a, b]),
        ];
        const turn = (x: A, on: boolean) => (on ? np.matrixTranspose(x) : x);
        const fn = (x: A, y: A) => np.matmul(turn(x, left), turn(y, right));
        await expectSame(
          (x: A, y: A) => [
            fn(x.ref, y.ref),
            grad((p: { x: A; y: A }) => weigh(fn(p.x, p.y)))({ x, y }),
          ],
          normals(32, last(n, k, left), last(k, m, right)),
          2e-5,
        );
      }),
      seeded(10),
    );
  });

  test("sums, means, largest and smallest over any axes, with gradients", () => {
    const shapes = fc.array(upTo(5), { minLength: 1, maxLength: 4 }).chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.subarray(
          shape.map((_, axis) => axis),
          { minLength: 1 },
        ),
      ),
    );
    return fc.assert(
      fc.asyncProperty(shapes, ([shape, axes]) =>
        expectSame(
          (x: A) => [
            x.ref.sum(axes),
            x.ref.mean(axes, { keepdims: true }),
            x.ref.max(axes),
            x.ref.min(axes),
            grad((y: A) => weigh(y.ref.mean(axes)).add(weigh(y.max(axes))))(x),
          ],
          normals(33, shape),
        ),
      ),
      seeded(10),
    );
  });

  test("largest and mean of windows of any size and stride, with gradients", () => {
    const shapes = fc
      .record({
        channels: fc.constantFrom(1, 3, 16),
        size: both(8),
        window: both(3),
        stride: both(3),
      })
      .filter(({ size, window }) => [0, 1].every((axis) => window[axis] <= size[axis]));
    return fc.assert(
      fc.asyncProperty(shapes, async ({ channels, size, window, stride }) => {
        const largest = (x: A) => lax.reduceWindow(x, np.max, window, stride);
        const mean = (x: A) => lax.reduceWindow(x, np.mean, window, stride);
        await expectSame(
          (x: A) => [
            largest(x.ref),
            mean(x.ref),
            grad((y: A) => weigh(largest(y.ref)).add(weigh(mean(y))))(x),
          ],
          normals(34, [2, channels, ...size]),
          2e-5,
        );
      }),
      seeded(10),
    );
  });
});

describe("movement, reading and writing at any place", () => {
  test("padding, slices, flips and transposes, with gradients", () => {
    const shapes = fc.record({
      size: both(5, 2),
      padding: fc.tuple(both(2, 0), both(2, 0)),
      start: both(1, 0),
      flipped: fc.subarray([0, 1]),
    });
    return fc.assert(
      fc.asyncProperty(shapes, async ({ size, padding, start, flipped }) => {
        const fn = (x: A) => {
          const part = x.slice([start[0], size[0]], [start[1], size[1]]);
          const turned = flipped.length === 0 ? part : np.flip(part, flipped);
          return np.concatenate([np.pad(turned, padding).transpose()], 0);
        };
        await expectSame((x: A) => [fn(x.ref), grad((y: A) => weigh(fn(y)))(x)], normals(35, size));
      }),
      seeded(10),
    );
  });

  test("gather along one axis and two, and the scatter that is its transpose", () => {
    const shapes = fc.record({
      rows: upTo(6),
      columns: upTo(6),
      width: fc.constantFrom(1, 3),
      reads: fc.array(upTo(5), { minLength: 1, maxLength: 2 }),
    });
    return fc.assert(
      fc.asyncProperty(shapes, async ({ rows, columns, width, reads }) => {
        const stream = randomStream(36, "reads");
        const scatter = (read: (z: A) => A, updates: A) => {
          const [looked, transpose] = vjp(read, [np.zeros([rows, columns, width])]);
          looked.dispose();
          return transpose(updates)[0];
        };
        await expectSame(
          (x: A, i: A, j: A, one: A, two: A) => [
            x.ref.slice(i.ref),
            x.slice(i.ref, j.ref),
            scatter((z) => z.slice(i.ref), one),
            scatter((z) => z.slice(i.ref, j.ref), two),
          ],
          [
            ...normals(36, [rows, columns, width]),
            indices(stream, rows, reads),
            indices(stream, columns, reads),
            ...normals(37, [...reads, columns, width], [...reads, width]),
          ],
        );
      }),
      seeded(10),
    );
  });
});

describe("ranks of rows of any length, with ties", () => {
  const shapes = fc
    .record({ before: fc.array(upTo(4), { maxLength: 2 }), width: upTo(20) })
    .chain(({ before, width }) => fc.tuple(fc.constant<number[]>([...before, width]), upTo(width)));

  test("top k, sorted values and orders are those of jax-js", () => {
    const stream = randomStream(38, "ranks");
    return fc.assert(
      fc.asyncProperty(shapes, ([shape, k]) =>
        expectSame(
          (x: A) => [...lax.topK(x.ref, k), np.sort(x.ref), np.argsort(x)],
          [tied(stream, shape)],
          0,
        ),
      ),
      seeded(10),
    );
  });

  test("slopes of the k largest are at the k largest", () =>
    fc.assert(
      fc.asyncProperty(shapes, async ([shape, k]) => {
        const [x] = normals(39, shape);
        const slope = (y: A) => grad((z: A) => weigh(lax.topK(z, k)[0]))(y);
        const program = await compile(slope, [x]);
        const { data } = (await program.run(x)) as HostArray;
        await program.dispose();
        const width = shape.at(-1)!;
        const want = new Float32Array(data.length);
        descending(x).forEach((row, i) =>
          row.slice(0, k).forEach((column) => {
            want[i * width + column] = 2 * x.data[i * width + column];
          }),
        );
        expect(data).toEqual(want);
      }),
      seeded(6),
    ));
});
