import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";

import { GraphBuilder, type GraphType } from "./onnx.ts";
import { runtimeMessage } from "./runtimeMessage.ts";

/** What ONNX Runtime says where an operator is given [2, 3] and another input that does not fit. */
async function failureOf(operator: string, type: GraphType, dims: number[]): Promise<unknown> {
  const graph = new GraphBuilder();
  graph.input("a", "float32", ["n", "m"]);
  graph.input("b", type, dims.length === 1 ? ["k"] : ["k", "l"]);
  graph.output("y", graph.emit(operator, ["a", "b"]), "float32", ["o"]);
  const settings = { logSeverityLevel: 4 } as const;
  const count = dims.reduce((product, dim) => product * dim, 1);
  const b =
    type === "int64"
      ? new ort.Tensor("int64", new BigInt64Array(count).fill(7n), dims)
      : new ort.Tensor("float32", new Float32Array(count), dims);
  try {
    const session = await ort.InferenceSession.create(graph.toBytes("wrong"), settings);
    await session.run({ a: new ort.Tensor("float32", new Float32Array(6), [2, 3]), b });
  } catch (error) {
    return error;
  }
  throw new Error(`${operator} did not fail`);
}

test.each<[string, GraphType, number[], RegExp]>([
  ["Add", "float32", [4, 5], /^Add node Add_t0: Attempting to broadcast an axis .* 3 by 5$/],
  ["Reshape", "int64", [1], /^Reshape node Reshape_t0: The input tensor cannot be reshaped /],
  ["MatMul", "float32", [4, 5], /^MatMul node MatMul_t0: MatMul dimension mismatch$/],
  ["Gather", "int64", [1], /^Gather node Gather_t0: indices element out of data bounds, idx=7/],
  ["NoSuch", "float32", [1], /^This is an invalid model\. .*No Op registered for NoSuch/],
])("%s says what is wrong, not where in the runtime's code", async (operator, type, dims, said) => {
  expect(runtimeMessage(await failureOf(operator, type, dims))).toMatch(said);
});

test("whatever the runtime's functions look like", () => {
  const places = [
    "/src/core/a.cc:7 std::function<void(int)> ns::A<T>::f(const std::function<void(int)>&) const ",
    "/src/core/a.h:7 void ns::f() [with T = float] ",
    "a.hpp:12 Compute ",
  ];
  for (const place of places) {
    expect(runtimeMessage(new Error(`Failed: ${place}x > 0 was false. It is (a) wrong.\n`))).toBe(
      "Failed: It is (a) wrong.",
    );
  }
  expect(runtimeMessage(`one\n two\n Stacktrace:\n three`)).toBe("one two");
  expect(runtimeMessage("x".repeat(1000))).toHaveLength(300);
});
