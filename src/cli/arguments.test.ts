import { expect, test } from "vitest";

import { mistakesError, parseArguments } from "./arguments.ts";

const specs = [
  { flags: "--batch-size <images>", describe: "" },
  { flags: "--overwrite", describe: "" },
  { flags: "--no-estimate", describe: "" },
  { flags: "--set <path=value>", many: true, describe: "" },
];
const parse = (...argv: string[]) => parseArguments(specs, [{ name: "<run>", describe: "" }], argv);
const mistakesOf = (...argv: string[]) => parse(...argv).mistakes;

test("right arguments have no mistakes, negative numbers are values", () => {
  expect(parse("run", "--batch-size", "-3", "--overwrite", "--no-estimate")).toEqual({
    words: ["run"],
    options: { batchSize: "-3", overwrite: true, estimate: false },
    mistakes: [],
  });
  expect(parse("--batch-size=3", "--", "--run")).toMatchObject({ words: ["--run"], mistakes: [] });
  expect(parse("run", "--set", "a=1", "--set=b=2").options).toEqual({ set: ["a=1", "b=2"] });
});

test("every mistake is found, and the value of a mistyped option is not taken for a word", () => {
  expect(mistakesOf("--batchsize", "3", "--overwrite=no", "--batch-size")).toEqual([
    "--batchsize is not an option, did you mean --batch-size?",
    '--overwrite takes no value (is "no")',
    "--batch-size needs a value, as in --batch-size <images>",
    "<run> is missing",
  ]);
  expect(mistakesOf("a", "b")).toEqual(['"b" is one argument too many']);
});

test("a single dash is one mistake, and an option is no value of the one before", () => {
  expect(mistakesOf("run", "-batch-size", "3")).toEqual([
    "-batch-size is not an option, did you mean --batch-size?",
  ]);
  expect(mistakesOf("run", "--batch-size", "--overwrite")).toEqual([
    "--batch-size needs a value, as in --batch-size <images>",
  ]);
});

test("one mistake stands in the sentence, several below a count", () => {
  expect(mistakesError("try", ["a"]).message).toBe("try: a");
  expect(mistakesError("try", ["a", "b"]).message).toBe("try: 2 mistakes\n  a\n  b");
});
