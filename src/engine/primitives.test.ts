import { grad, lax, nn, numpy as np, random } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import type { HostArray } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { compile } from "./compile.ts";
import { primitives } from "./lower/lower.ts";
import { draw, expectSame, normals } from "./testing.ts";

type A = np.Array;
const stream = randomStream(5, "primitives");
const ints = (...shape: number[]) => draw(stream, shape, "int32");
const bools = (...shape: number[]) => draw(stream, shape, "bool");
const index = (count: number, ...shape: number[]): HostArray => {
  const array = draw(stream, shape, "int32");
  array.data.forEach((_, i) => (array.data[i] = stream.integer(count)));
  return array;
};
const sumOfSquares = (x: A): A => np.square(x).sum();

describe("every primitive computes on the CPU what jax-js computes", () => {
  const unary: Record<string, (x: A) => A> = {
    negation: (x) => x.neg(),
    reciprocal: (x) => np.reciprocal(np.square(x).add(1)),
    floor: (x) => np.floor(x),
    ceil: (x) => np.ceil(x),
    sine: (x) => np.sin(x),
    cosine: (x) => np.cos(x),
    arctangent: (x) => np.arctan(x),
    arcsine: (x) => np.arcsin(np.clip(x, -0.9, 0.9)),
    exponential: (x) => np.exp(x),
    logarithm: (x) => np.log(np.square(x).add(0.5)),
    "square root": (x) => np.sqrt(np.square(x).add(0.1)),
    "error function": (x) => lax.erf(x),
    ReLU: (x) => nn.relu(x),
    GELU: (x) => nn.gelu(x),
    softmax: (x) => nn.softmax(x),
    "log-sum-exp": (x) => nn.logsumexp(x, -1),
    "cast to integers and back": (x) => x.mul(3).astype(np.int32).astype(np.float32),
  };
  for (const [name, fn] of Object.entries(unary)) {
    test(`${name}`, () => expectSame((x: A) => fn(x), normals(1, [3, 5]), 2e-6));
    test(`${name}, its gradient`, () =>
      expectSame((x: A) => grad((y: A) => sumOfSquares(fn(y)))(x), normals(2, [4, 3]), 1e-5));
  }

  const binary: Record<string, (x: A, y: A) => A> = {
    sum: (x, y) => x.add(y),
    difference: (x, y) => x.sub(y),
    product: (x, y) => x.mul(y),
    quotient: (x, y) => x.div(np.square(y).add(0.5)),
    minimum: (x, y) => np.minimum(x, y),
    maximum: (x, y) => np.maximum(x, y),
    remainder: (x, y) => np.fmod(x, np.square(y).add(0.5)),
    less: (x, y) => x.less(y).astype(np.float32),
    "at most": (x, y) => x.lessEqual(y).astype(np.float32),
    equality: (x, y) => x.astype(np.int32).equal(y.astype(np.int32)).astype(np.float32),
    inequality: (x, y) => x.astype(np.int32).notEqual(y.astype(np.int32)).astype(np.float32),
    choice: (x, y) => np.where(x.ref.greater(y.ref), x, y.mul(2)),
  };
  for (const [name, fn] of Object.entries(binary)) {
    for (const [a, b] of [
      [
        [3, 4],
        [3, 4],
      ],
      [
        [2, 3, 4],
        [3, 1],
      ],
      [[4], []],
    ]) {
      test(`${name} of [${a}] and [${b}]`, () =>
        expectSame((x: A, y: A) => fn(x, y), normals(3, a, b), 2e-6));
    }
  }

  test("integer arithmetic", () =>
    expectSame(
      (x: A, y: A) => {
        const divisor = np.square(y).add(1);
        return [x.ref.mul(divisor.ref), x.ref.mod(divisor.ref), x.neg().add(divisor)];
      },
      [ints(4, 3), ints(4, 3)],
      0,
    ));
  test("logic of booleans", () =>
    expectSame(
      (x: A, y: A) => [
        np.where(x.ref, y.ref, x.ref),
        x.ref.notEqual(y.ref),
        x.astype(np.int32).add(y.astype(np.int32)),
      ],
      [bools(5, 3), bools(5, 3)],
      0,
    ));

  for (const axis of [[0], [1], [2], [0, 2], [0, 1, 2]]) {
    test(`sum, mean, maximum, minimum and product over axes ${axis.join()}`, () =>
      expectSame(
        (x: A) => [
          x.ref.sum(axis),
          x.ref.mean(axis, { keepdims: true }),
          x.ref.max(axis),
          x.ref.min(axis),
          x.prod(axis),
        ],
        normals(4, [2, 3, 4]),
        1e-5,
      ));
  }
  test("sums over axes along which an array repeats", () =>
    expectSame((x: A) => np.broadcastTo(x, [3, 2, 4]).mul(2).sum([0, 2]), normals(5, [2, 1])));

  test("transpose, reshape, flip, broadcast, padding, slices, concatenation and split", () =>
    expectSame(
      (x: A, y: A) => [
        x.ref.transpose([2, 0, 1]).reshape([4, 6]),
        np.flip(x.ref, [0, 2]),
        np.broadcastTo(y.ref.reshape([3, 1]), [2, 3, 4]).mul(x.ref),
        np.pad(x.ref, [
          [1, 0],
          [0, 2],
          [1, 1],
        ]),
        x.ref.slice([0, 1], [1, 3], 2),
        np.concatenate([x.ref, x.ref.mul(2)], 1),
        ...np.split(x, 2, 2),
        y,
      ],
      normals(6, [2, 3, 4], [3]),
    ));
  test("gradients through movement", () =>
    expectSame(
      (x: A) =>
        grad((v: A) =>
          sumOfSquares(np.pad(np.flip(v.ref.transpose([1, 0]), [0]), [[1, 2]]).mul(2)).add(
            sumOfSquares(v.slice([1, 3])),
          ),
        )(x),
      normals(7, [4, 3]),
    ));

  const products: [string, number[], number[], (x: A, y: A) => A][] = [
    ["matrix · matrix", [3, 4], [4, 5], (x, y) => np.matmul(x, y)],
    ["matrix · transposed matrix", [3, 4], [5, 4], (x, y) => np.matmul(x, y.transpose())],
    ["transposed matrix · matrix", [4, 3], [4, 5], (x, y) => np.matmul(x.transpose(), y)],
    ["batches of matrices", [2, 3, 4], [2, 4, 5], (x, y) => np.matmul(x, y)],
    ["a matrix with a batch", [3, 4], [2, 4, 5], (x, y) => np.matmul(x, y)],
    ["vectors", [4], [4], (x, y) => np.dot(x, y)],
    ["matrix · vector", [3, 4], [4], (x, y) => np.dot(x, y)],
    ["over one element", [3, 1], [1, 5], (x, y) => np.matmul(x, y)],
    [
      "attention over heads",
      [2, 3, 2, 4],
      [2, 3, 2, 4],
      (x, y) => np.matmul(x.transpose([0, 2, 1, 3]), y.transpose([0, 2, 3, 1])),
    ],
  ];
  for (const [name, a, b, fn] of products) {
    test(`product: ${name}`, () => expectSame((x: A, y: A) => fn(x, y), normals(8, a, b)));
    test(`product: ${name}, gradients`, () =>
      expectSame(
        (x: A, y: A) => [
          grad((v: A, w: A) => sumOfSquares(fn(v, w)))(x.ref, y.ref),
          grad((w: A, v: A) => sumOfSquares(fn(v, w)))(y, x),
        ],
        normals(9, a, b),
        2e-5,
      ));
  }

  test("gather, on one axis and on two, and its gradient", () =>
    expectSame(
      (x: A, i: A, j: A) => [
        np.take(x.ref, i.ref, 0),
        np.take(x.ref, i.ref, 1),
        x.ref.slice(i.ref, j.ref),
        grad((v: A) =>
          sumOfSquares(np.take(v.ref, i.ref, 0)).add(sumOfSquares(v.slice(i.ref, j.ref))),
        )(x),
        i.add(j),
      ],
      [...normals(10, [4, 5, 3]), index(4, 6), index(5, 6)],
    ));
  test("sort, argsort with ties, top-k", () =>
    expectSame(
      (x: A, i: A) => [
        np.sort(x.ref),
        np.argsort(x.ref),
        np.argsort(i.ref.astype(np.float32)),
        np.sort(i),
        ...lax.topK(x, 2),
      ],
      [...normals(11, [3, 6]), index(3, 2, 8)],
      0,
    ));
  test("random bits, uniform and normal numbers", () =>
    expectSame(
      (key: A) => [
        random.bits(key.ref, [5, 3]),
        random.uniform(key.ref, [7]),
        random.normal(key.ref, [6]),
        random.split(key),
      ],
      [{ dtype: "uint32", shape: [2], data: Uint32Array.from([7, 3_000_000_019]) }],
      2e-6,
    ));
});

describe("what has no lowering", () => {
  test("is an error at compile time that names the primitive and the line", async () => {
    const factor = (x: A) => lax.linalg.cholesky(x);
    await expect(compile(factor, [{ dtype: "float32", shape: [3, 3] }])).rejects.toThrow(
      /primitive "cholesky" has no lowering to ONNX, used at .*primitives\.test\.ts:\d+/,
    );
  });
  test("the list of primitives covers the arithmetic of training", () => {
    expect(primitives).toEqual(
      expect.arrayContaining(["conv", "dot", "reduce", "gather", "scatter", "argsort"]),
    );
  });
});
