import { expect, test, vi } from "vitest";

import { createPrinter } from "./printer.ts";

test("a note is told once, other lines as often as they come", () => {
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  const printer = createPrinter({ json: false, quiet: false, environment: {} });
  for (const text of ["note       read test", "packed     3 images", "", "note       read train"]) {
    printer.note(text);
    printer.note(text);
  }
  write.mockRestore();
  const packed = "packed     3 images\n";
  const expected = [
    "note       read test\n",
    packed,
    packed,
    "\n",
    "\n",
    "note       read train\n",
  ];
  expect(lines).toEqual(expected);
});
