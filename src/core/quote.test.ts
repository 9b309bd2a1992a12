import fc from "fast-check";
import { expect, test } from "vitest";

import { harmless, nameLine, quoted, fitToPrint } from "./quote.ts";

test("text of others stays on one line and steers nothing", () => {
  expect(harmless("a\nb\tc\r\u001b[31m\u202egnp.\ud800\u009b é😀日")).toBe(
    String.raw`a\nb\tc\r\u001b[31m\u202egnp.\ud800\u009b é😀日`,
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u.test(harmless(text))).toBe(false);
    }),
  );
});

test("no two names share a line of a list, plain ones stay as they are", () => {
  expect(nameLine("back\\slash é.png")).toBe("back\\slash é.png");
  const longer = (names: string[]) =>
    names.flatMap((name) => ["\\", "n", "\n", "u000a", "a"].map((letter) => name + letter));
  const names = [0, 1, 2, 3].reduce((all) => [...new Set([...all, ...longer(all)])], [""]);
  expect(names.length).toBe(1 + 5 + 25 + 125 + 625);
  expect(new Set(names.map(nameLine)).size).toBe(names.length);
});

test("messages quote at most some hundred characters", () => {
  expect(quoted("a\u202eb")).toBe(String.raw`"a\u202eb"`);
  expect(quoted("x".repeat(5000))).toBe(`"${"x".repeat(200)}"… (5000 characters)`);
  expect(quoted({ a: "x".repeat(5000) }).length).toBeLessThan(210);
  expect(quoted(undefined)).toBe("undefined");
  const long = JSON.stringify('y"z'.repeat(999));
  expect(fitToPrint(`cannot read ${long}: it does not exist`)).toMatch(
    /^cannot read "(y\\"z)+.{0,3}…": it does not exist$/,
  );
  expect(fitToPrint('pack: "a" is "b"')).toBe('pack: "a" is "b"');
});

test("no address in a message shows its name and password", () => {
  expect(fitToPrint('"http://user:pass@host:1/x" is one argument too many')).toBe(
    '"http://…@host:1/x" is one argument too many',
  );
  expect(fitToPrint("see https://host/a@b and me@home")).toBe("see https://host/a@b and me@home");
});
