import { crc32 } from "node:zlib";

import { expect, test } from "vitest";

import { decodeImage } from "./decodeImage.ts";
import { encodePng } from "./encodeImage.ts";
import { plain } from "../testing.ts";

// text of one line takes a time that grows with the square of its length, which nothing can interrupt
const slow = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><text>${"[".repeat(60_000)}</text></svg>`,
);
const quick = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4" fill="#102030"/></svg>`,
);

const failureOf = (decoding: Promise<unknown>) =>
  decoding.then(
    () => undefined,
    (error: Error) => error.message,
  );

test("a drawing that takes too long is ended, and the next one is drawn (needs npm run build)", async () => {
  expect([...(await decodeImage(quick)).image.data.subarray(0, 3)]).toEqual([16, 32, 48]);
  const started = performance.now();
  expect(await failureOf(decodeImage(slow, { seconds: 0.2 }, "a.svg"))).toBe(
    '"a.svg": decoding it takes longer than 0.2 seconds',
  );
  expect(performance.now() - started).toBeLessThan(5000);
  const { image, file } = await decodeImage(quick);
  expect([image.width, file.format]).toEqual([4, "svg"]);
});

test("an interruption ends decoding at once, also of what waits (needs npm run build)", async () => {
  await decodeImage(quick);
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const both = [decodeImage(slow, options), decodeImage(slow, options)].map(failureOf);
  const started = performance.now();
  setTimeout(() => controller.abort(new Error("stop")), 100);
  expect(await Promise.all(both)).toEqual(["stop", "stop"]);
  expect(performance.now() - started).toBeLessThan(5000);
});

test("a PNG that is too short for the size it claims is refused, also where damage is accepted", async () => {
  const png = Buffer.from(await encodePng(plain(1, 8)));
  png.writeUInt32BE(8_000_000, 20); // its height
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  for (const damaged of ["reject", "accept"] as const) {
    expect(await failureOf(decodeImage(png, { damaged }))).toMatch(
      /damaged or cut short: 8 × 8000000 pixels cannot be in \d+ bytes/,
    );
  }
});
