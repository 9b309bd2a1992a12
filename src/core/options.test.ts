import { expect, test } from "vitest";
import { z } from "zod";

import { parseOptions } from "./options.ts";

test("a message tells the first mistakes and counts the others", () => {
  const schema = z.strictObject({ sizes: z.array(z.int()) });
  const wrong = () => parseOptions("net", schema, { sizes: Array<string>(500).fill("x") });
  expect(wrong).toThrow(/^net: sizes\.0: .*; sizes\.7: [^;]*; and 492 more$/);
});
