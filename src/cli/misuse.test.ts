import { expect, test } from "vitest";

import { argumentMistakes, mistakesError } from "./misuse.ts";
import type { Verb } from "./verb.ts";

const verb: Verb = {
  name: "try",
  summary: "",
  words: [{ name: "<run>", describe: "" }],
  options: [
    { flags: "--batch-size <images>", describe: "" },
    { flags: "--overwrite", describe: "" },
  ],
  load: () => Promise.reject(new Error("not called")),
};

test("right arguments have no mistakes, negative numbers are values", () => {
  expect(argumentMistakes(verb, ["run", "--batch-size", "-3", "--overwrite", "--json"])).toEqual(
    [],
  );
  expect(argumentMistakes(verb, ["--batch-size=3", "--", "--run"])).toEqual([]);
  expect(argumentMistakes(verb, ["--help", "--whatever"])).toEqual([]);
});

test("every mistake is found, and the value of a mistyped option is not taken for a word", () => {
  expect(argumentMistakes(verb, ["--batchsize", "3", "--overwrite=no", "--batch-size"])).toEqual([
    "--batchsize is not an option, did you mean --batch-size?",
    '--overwrite takes no value (is "no")',
    "--batch-size needs a value, as in --batch-size <images>",
    "<run> is missing",
  ]);
  expect(argumentMistakes(verb, ["a", "b"])).toEqual(['"b" is one argument too many']);
});

test("one mistake stands in the sentence, several below a count", () => {
  expect(mistakesError("try", ["a"]).message).toBe("try: a");
  expect(mistakesError("try", ["a", "b"]).message).toBe("try: 2 mistakes\n  a\n  b");
});
