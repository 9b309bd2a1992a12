import { expect, test } from "vitest";
import { z } from "zod";

import { partFrom, entryNamed, unknownTo } from "./catalogue.ts";

const catalogue = {
  plain: { name: "plain", options: z.strictObject({ size: z.int().default(1) }) },
};

test("names of what every object has are no entries and no options", () => {
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    expect(entryNamed(catalogue, name)).toBeUndefined();
    expect(partFrom("", catalogue, "plain").safeParse(name).error?.issues[0].message).toContain(
      `"${name}" is none of plain`,
    );
    expect(unknownTo(catalogue.plain, Object.fromEntries([[name, 1]]))).toEqual([name]);
  }
});

test("a choice by name refuses values of one's own", () => {
  const { error } = partFrom("", catalogue, "plain").safeParse(() => 1);
  expect(error?.issues[0].message).toBe("expected a name, one of plain, not a function");
});

test("a long name of an option that is none is cut", () => {
  const { error } = partFrom("", catalogue, "plain").safeParse({ ["x".repeat(9999)]: 1 });
  expect(error?.issues[0].message.length).toBeLessThan(200);
});
