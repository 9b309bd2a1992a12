import { expect, test } from "vitest";

import { codeOf, filesOf, partsOf, standing } from "../scripts/codeOf.mjs";

const parts = partsOf({
  ...{ encoder: { name: "convnet" }, head: { name: "mlp" }, optimiser: { name: "sgd" } },
  ...{ loss: { name: "infoNce" }, samplers: [{ name: "groups" }, { name: "ring" }] },
});

test("a figure depends on what its config names and on what trains, not on its neighbours", () => {
  expect(parts).toEqual([
    ...["encoders/convnet", "encoders/mlp", "losses/infoNce", "optim/sgd"],
    ...["sampling/groups", "sampling/ring"],
  ]);
  const files = filesOf(parts);
  const needed = ["sampling/ring.ts", "sampling/ringSchedule.ts", "losses/infoNce.ts"];
  const always = ["engine/convolution.ts", "methods/moco.ts", "train/loop.ts", "metrics/knn.ts"];
  expect(files).toEqual(expect.arrayContaining([...needed, ...always, "views/render.ts"]));
  const others = ["sampling/mochi.ts", "losses/supCon.ts", "encoders/vit.ts", "metrics/seeds.ts"];
  const none = ["train/planRun.ts", "core/version.ts", "compare/plan.ts", "losses/index.ts"];
  expect(files.filter((file) => [...others, ...none].includes(file))).toEqual([]);
  expect(files.some((file) => file.endsWith(".test.ts"))).toBe(false);
});

test("the hash tells whether a record is of the code as it is", () => {
  const code = codeOf(parts);
  expect(code).toMatch(/^[0-9a-f]{12}$/);
  expect(code).not.toBe(codeOf([...parts, "sampling/mochi"]));
  expect(standing({ code, parts })).toBe("current");
  expect(standing({ code: "0".repeat(12), parts })).toBe("other");
  expect(standing({})).toBe("unknown");
});
