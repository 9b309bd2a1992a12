import { describe, expect, test } from "vitest";

import { float32, numbers, rowsOf } from "../../testing/arrays.ts";
import {
  floats,
  graph as graphIn,
  integers,
  node,
  onnxModel,
  tinyEncoder,
  value,
} from "../../../test/onnxModel.ts";
import { someBatch, stepper, tinyFramework } from "../../../test/tinyFramework.ts";
import type { HostArray } from "../../core/arrays.ts";
import { compile, onnxGraph, openOnnx, resultSpecs, wholeModel } from "../../engine/index.ts";
import { encoderOf, type Network, type Variables } from "../network.ts";
import { trainableGraph } from "./graph.ts";
import { onnxFeatures, onnxNetwork, onnxVariables } from "./onnxNetwork.ts";

const graphOf = (bytes: Uint8Array) =>
  trainableGraph(onnxGraph(wholeModel(bytes)), "pixels", "features");

/** Traces a model on images of 4 px, which is where its mistakes show. */
function traced(bytes: Uint8Array) {
  const graph = graphOf(bytes);
  const { parameters, statistics } = onnxVariables(graph);
  const images = { dtype: "float32" as const, shape: [2, 3, 4, 4] };
  const apply = (v: Variables, x: never) => onnxFeatures(graph, "planes", v, x);
  return resultSpecs(apply, [{ parameters, statistics }, images]);
}

/** The tiny encoder with a layer between pooling and the last. */
function between(...nodes: ReturnType<typeof node>[]) {
  const graph = tinyEncoder();
  graph.node.splice(
    5,
    1,
    ...nodes,
    node("Gemm", ["more", "fc.weight", "fc.bias"], "features", { transB: 1 }),
  );
  return graph;
}

async function featuresOf(network: Network, images: HostArray, training: boolean) {
  const apply = (v: Variables, x: never) => network.apply(v, x, { training });
  const args = [network.init(0) as never, images];
  const program = await compile(apply, args, { tune: false });
  const result = (await program.run(...args)) as {
    features: HostArray;
    statistics: Record<string, HostArray>;
  };
  await program.dispose();
  return result;
}

describe("an ONNX model as an encoder", () => {
  const network = onnxNetwork(graphOf(onnxModel(tinyEncoder())), {
    layout: "planes",
    dimension: 4,
  });

  test("has parameters by the names of the file; means and variances of norms are statistics", () => {
    expect(Object.keys(network.parameters)).toEqual([
      "onnx::Conv_1",
      "norm.weight",
      "norm.bias",
      "fc.weight",
      "fc.bias",
    ]);
    expect(Object.keys(network.statistics)).toEqual(["norm.running_mean", "norm.running_var"]);
    expect(network.parameters["fc.weight"]).toMatchObject({ shape: [4, 5], decay: true });
    expect(network.parameters["norm.weight"].decay).toBe(false);
  });

  test("gives the features of ONNX Runtime, in training too: no image changes another's", async () => {
    const images = float32(
      [3, 3, 6, 6],
      Array.from({ length: 324 }, (_, i) => Math.sin(i * i)),
    );
    const model = await openOnnx(onnxModel(tinyEncoder()));
    const { features: expected } = await model.run({ pixels: images });
    await model.dispose();
    for (const training of [false, true]) {
      const { features, statistics } = await featuresOf(network, images, training);
      expected.data.forEach((one, i) => expect(features.data[i]).toBeCloseTo(one, 5));
      expect(numbers(statistics["norm.running_var"])).toEqual([1, 2, 0.5, 1, 1.5]);
    }
  });

  test("is trained: steps of NT-Xent lower the loss and move every parameter, no statistic", async () => {
    const framework = tinyFramework({
      encoder: encoderOf(network, 4),
      averaging: 0,
      metrics: false,
    });
    const step = await stepper(framework, "cpu");
    const batch = someBatch(framework, 5);
    let state = framework.init();
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) {
      const result = await step(state, batch, 0.02, i);
      state = result.state;
      losses.push(result.metrics.loss);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0] - 0.1);
    const start = network.init(0);
    for (const [name, array] of Object.entries(start.parameters)) {
      expect(numbers(state.encoder.parameters[name]), name).not.toEqual(numbers(array));
    }
    for (const [name, array] of Object.entries(start.statistics)) {
      expect(numbers(state.encoder.statistics[name]), name).toEqual(numbers(array));
    }
  });

  test("refuses images of another size than it was opened for", () => {
    expect(() => tinyFramework({ encoder: encoderOf(network, 32) })).toThrow(
      "images of 4 px, expected 32",
    );
  });

  test("may not share a name with the head", () => {
    const graph = tinyEncoder();
    graph.initializer[5].name = "head.0.weight";
    graph.node[5].input[1] = "head.0.weight";
    const alike = onnxNetwork(graphOf(onnxModel(graph)), { layout: "planes", dimension: 4 });
    expect(() => tinyFramework({ encoder: encoderOf(alike, 4) })).toThrow(
      "encoder onnx and head mlp both have a parameter head.0.weight",
    );
  });

  test("leaves out what does not lead to the output, and keeps weights that decide shapes as they are", () => {
    const graph = between(
      node("Resize", ["pooled", "", "scales"], "larger", { mode: "nearest" }),
      node("GlobalAveragePool", ["larger"], "again"),
      node("Flatten", ["again"], "more"),
      node("Gemm", ["flat", "unused"], "logits"),
    );
    graph.initializer.push(floats("scales", [4], [1, 1, 2, 2]), floats("unused", [5, 7]));
    const found = graphOf(onnxModel(graph));
    expect([...found.parameters.keys()]).not.toContain("scales");
    expect([...found.parameters.keys()]).not.toContain("unused");
    expect(found.constants.has("scales")).toBe(true);
    expect(found.nodes.map(({ op }) => op)).toEqual([
      "Conv",
      "BatchNormalization",
      "HardSwish",
      "GlobalAveragePool",
      "Resize",
      "GlobalAveragePool",
      "Flatten",
      "Gemm",
    ]);
  });

  test("takes the branch of an If that the sizes choose", async () => {
    const branch = (op: string) => ({
      graph: graphIn({
        name: op,
        node: [node(op, ["flat"], `${op}_made`)],
        output: [value(`${op}_made`, [2, 5])],
      }),
    });
    const body = between(
      node("Shape", ["pixels"], "sizes"),
      node("Gather", ["sizes", "three"], "width"),
      node("Greater", ["width", "five"], "wide"),
      node("If", ["wide"], "more", { then_branch: branch("Neg"), else_branch: branch("Exp") }),
    );
    body.initializer.push(integers("three", [3], []), integers("five", [5], []));
    const bytes = onnxModel(body);
    const opened = onnxNetwork(graphOf(bytes), { layout: "planes", dimension: 4 });
    const model = await openOnnx(bytes);
    for (const size of [4, 6]) {
      const images = float32(
        [2, 3, size, size],
        Array.from({ length: 6 * size * size }, (_, i) => Math.cos(i)),
      );
      const { features: expected } = await model.run({ pixels: images });
      const { features } = await featuresOf(opened, images, false);
      rowsOf(expected)
        .flat()
        .forEach((one, i) => expect(features.data[i]).toBeCloseTo(one, 5));
    }
    await model.dispose();
  });
});

describe("a model that cannot be trained", () => {
  test("names the node and the operator, and up to where it can be frozen", async () => {
    const unknown = between(node("Det", ["flat"], "more"));
    await expect(traced(onnxModel(unknown))).rejects.toMatchObject({
      message: 'node "/more" (Det) cannot be trained: this operator is not known here',
      hint: 'freeze up to "/more": 3 of 5 parameters stand before it, those from fc.weight on can be trained',
    });
    const last = tinyEncoder();
    last.node[5] = node("Round", ["flat"], "features");
    await expect(traced(onnxModel(last))).rejects.toMatchObject({
      message: 'node "/features" (Round) cannot be trained: passes no gradient',
      hint: 'freeze up to "/features": 3 of 3 parameters stand before it, which is the whole body: --freeze body',
    });
  });

  test("says which node does not fit", async () => {
    const graph = between(node("Reshape", ["flat", "seven"], "more"));
    graph.initializer.push(integers("seven", [1, 7]));
    await expect(traced(onnxModel(graph))).rejects.toThrow(
      'node "/more" (Reshape): gives [2, 5] the shape [1, 7]',
    );
    const missing = between(node("Neg", ["nowhere"], "more"));
    await expect(traced(onnxModel(missing))).rejects.toThrow(
      'node "/more" (Neg): takes "nowhere", which nothing before it makes',
    );
    const huge = between(
      node("ConstantOfShape", ["much"], "zeros"),
      node("Add", ["flat", "zeros"], "more"),
    );
    huge.initializer.push(integers("much", [1e9, 1e9]));
    await expect(traced(onnxModel(huge))).rejects.toThrow(
      /makes an array of .* expected 16777216 numbers/,
    );
  });

  test("is bounded, whatever it asks for", async () => {
    const pool = (side: number) => {
      const graph = tinyEncoder();
      graph.node[3] = node("MaxPool", ["swished"], "pooled", { kernel_shape: [side, side] });
      return traced(onnxModel(graph));
    };
    await expect(pool(1e9)).rejects.toThrow("has a window of 1000000000, expected 1 to 4096");
    await expect(pool(9)).rejects.toThrow("has a window of 9 for 2 numbers");
    const graph = between(node("Pad", ["flat", "far"], "more", { mode: "reflect" }));
    graph.initializer.push(integers("far", [0, 1e9, 0, 1e9]));
    await expect(traced(onnxModel(graph))).rejects.toThrow("pads 5 numbers by 1000000000 and");
  });

  test("is one whose output is no vector an image", async () => {
    const graph = tinyEncoder();
    graph.node.splice(3, 3, node("Identity", ["swished"], "features"));
    await expect(traced(onnxModel(graph))).rejects.toThrow(
      "the output features is [2, 5, 2, 2] for 2 images, expected one vector an image",
    );
  });
});
