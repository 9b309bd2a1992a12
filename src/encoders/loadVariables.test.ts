import { expect, test } from "vitest";

import { full, type HostRecord } from "../core/arrays.ts";
import { loadVariables } from "./loadVariables.ts";
import { resnet } from "./resnet.ts";

const target = () => resnet({ width: 2, blocks: [1] }).init(0);

test("loads what fits, through wrappers, and reports the rest", () => {
  const { parameters, statistics } = target();
  const source: HostRecord = {
    "module.encoder_q.conv1.weight": full(parameters["conv1.weight"].shape, 7),
    "module.encoder.bn1.weight": full([3], 7),
    "module.encoder.bn1.running_mean": full(statistics["bn1.running_mean"].shape, 0.5, "float64"),
    "module.encoder.bn1.num_batches_tracked": full([], 9, "int32"),
    "module.fc.weight": full([10, 2], 1),
  };
  const { variables, report } = loadVariables(target(), source);
  expect(variables.parameters["conv1.weight"].data[0]).toBe(7);
  expect(variables.statistics["bn1.running_mean"].dtype).toBe("float32");
  expect(variables.parameters["bn1.weight"]).toEqual(parameters["bn1.weight"]);
  expect(report.loaded).toEqual(["conv1.weight", "bn1.running_mean"]);
  expect(report.unexpected).toEqual(["module.fc.weight"]);
  expect(report.wrongShape).toEqual([{ name: "bn1.weight", expected: [2], found: [3] }]);
  expect(report.wrappers).toEqual(["module.encoder_q.", "module.encoder."]);
  expect(report.missing).toContain("layer1.0.conv1.weight");
});

test("a network's own weights load completely", () => {
  const own = resnet({ width: 2, blocks: [1] }).init(5);
  const { variables, report } = loadVariables(target(), { ...own.parameters, ...own.statistics });
  expect(variables).toEqual(own);
  expect(report).toMatchObject({ missing: [], unexpected: [], wrongShape: [], wrappers: [] });
});
