import { expect, test } from "vitest";

import { openEncoderOf } from "./queryImage.ts";

test.each([
  ["{", "is no JSON"],
  ["null", "expected object, received null"],
  ['{"mean":"x"}', "mean: expected array, received string"],
  ['{"std":[1,1]}', "std: "],
  ['{"imageSize":-1}', "imageSize: "],
])("a table whose footer states %s of its encoder is refused", async (stated, what) => {
  const facts = { encoder: import.meta.filename, encoderHash: "h", stated };
  const message = `search: what the footer of the table states of the encoder`;
  const opened = openEncoderOf(facts, {});
  await expect(opened).rejects.toThrow(message);
  await expect(opened).rejects.toThrow(what);
});
