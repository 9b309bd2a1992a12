import { expect, test } from "vitest";

import { suggest } from "./suggest.ts";

const options = [
  "--learning-rate",
  "--batch-size",
  "--epochs",
  "--weight-decay",
  "--warmup-epochs",
];

test.each([
  ["--epoch", "--epochs"],
  ["--leraning-rate", "--learning-rate"],
  ["--learningRate", "--learning-rate"],
  ["--lr", "--learning-rate"],
  ["--wd", "--weight-decay"],
  ["--batch", "--batch-size"],
  ["--warmup", "--warmup-epochs"],
])("%s may have meant %s", (word, meant) => {
  expect(suggest(word, options)).toBe(meant);
});

test("nothing near is no suggestion", () => {
  expect(suggest("__proto__", ["crop", "ratio"])).toBeUndefined(); // marks are no letters in common
  for (const word of ["--x", "--colour", "-e", ""]) expect(suggest(word, options)).toBeUndefined();
  expect(suggest("tp", ["temperature", "tauPlus"])).toBe("tauPlus");
});
