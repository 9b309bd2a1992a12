import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { grad, numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import { startJax, trace } from "./trace.ts";

/** Collects garbage now. */
function collect(): void {
  setFlagsFromString("--expose_gc");
  (runInNewContext("gc") as () => void)();
}

test("a function that takes a gradient leaves nothing of its trace in memory", async () => {
  await startJax();
  let builder: WeakRef<object> | undefined;
  const square = (x: np.Array) => np.sum(x.ref.mul(x));
  const traced = await trace(
    (x: np.Array & { _trace: { builder: object } }) => {
      builder = new WeakRef(x._trace.builder);
      return grad(square)(x);
    },
    [{ shape: [3], dtype: "float32" }],
  );
  expect(traced.outputs).toHaveLength(1);
  await new Promise((resolve) => setTimeout(resolve)); // a reference that is read holds until the next turn
  collect();
  expect(builder).toBeDefined();
  expect(builder?.deref()).toBeUndefined();
});
