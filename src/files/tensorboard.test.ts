import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

import { DataError } from "../core/errors.ts";
import { crc32c } from "./crc32c.ts";
import { decodeRecords, encodeRecord, readEvents } from "./eventRecords.ts";
import { bytesField, decodeMessage, encodeMessage, integerField } from "./protobuf.ts";
import { openEventWriter } from "./tensorboard.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-events-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP4z8DAwMAAAAYEAQBqLm0rAAAAAElFTkSuQmCC",
  "base64",
);

it("computes CRC-32C as in RFC 3720, appendix B.4, and its usual check value", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

it("encodes protocol buffers as their documentation shows", () => {
  expect(Buffer.from(encodeMessage([integerField(1, 150)])).toString("hex")).toBe("089601");
  expect(Buffer.from(encodeMessage([bytesField(2, "testing")])).toString("hex")).toBe(
    "120774657374696e67",
  );
  const fields = [integerField(1, -1), bytesField(16, ""), integerField(3, 2 ** 40)];
  const [first, second, third] = decodeMessage(encodeMessage(fields));
  expect(first.value).toBe(2n ** 64n - 1n);
  expect(second).toEqual({ number: 16, kind: "bytes", value: Buffer.alloc(0) });
  expect(third.value).toBe(2n ** 40n);
  expect(() => decodeMessage(Uint8Array.of(0x12, 5, 1))).toThrow(RangeError);
});

describe("records", () => {
  it("come back, those that are whole, wherever the file ends", () => {
    const messages = [Uint8Array.of(1, 2, 3), new Uint8Array(), Uint8Array.of(255)];
    const bytes = Buffer.concat(messages.map(encodeRecord));
    const ends = messages.map(
      (_, i) => Buffer.concat(messages.slice(0, i + 1).map(encodeRecord)).length,
    );
    for (let length = 0; length <= bytes.length; length++) {
      const whole = ends.filter((end) => end <= length).length;
      const read = decodeRecords(bytes.subarray(0, length));
      expect(read.map((message) => [...message])).toEqual(
        messages.slice(0, whole).map((message) => [...message]),
      );
    }
  });

  it("with a changed byte are noticed", () => {
    const bytes = Buffer.concat([
      encodeRecord(Buffer.from("hello")),
      encodeRecord(Buffer.from("x")),
    ]);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] ^= change;
        expect(() => decodeRecords(changed, '"e"')).toThrow(DataError);
      }),
    );
  });
});

describe("openEventWriter", () => {
  it("writes scalars and pictures that come back", async () => {
    const writer = openEventWriter(join(root, "run"));
    writer.scalars(1, { "train/loss": 5.25, "train/rate": 0.1 });
    writer.image(2, "views", png);
    const [version, scalars, image] = await readEvents(writer.path); // before it is closed
    writer.close();
    expect(version).toMatchObject({ version: "brain.Event:2", step: 0 });
    expect(scalars.step).toBe(1);
    expect(scalars.scalars).toEqual({ "train/loss": 5.25, "train/rate": Math.fround(0.1) });
    expect(Math.abs(scalars.wallTime - Date.now() / 1000)).toBeLessThan(60);
    expect(image.images.views).toMatchObject({ width: 2, height: 1 });
    expect(Buffer.from(image.images.views.png)).toEqual(png);
  });

  it("starts a new file that sorts after the earlier ones, and says from where they count no more", async () => {
    const folder = join(root, "resumed");
    const first = openEventWriter(folder);
    first.scalars(1, { x: 1 });
    first.close();
    const bytes = readFileSync(first.path);
    const second = openEventWriter(folder, 7);
    second.scalars(7, { x: 2 });
    second.close();
    const third = openEventWriter(folder, 9);
    third.close();
    const names = [first, second, third].map(({ path }) => basename(path));
    expect([...names].sort()).toEqual(names);
    expect(names[0]).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    expect(readFileSync(first.path)).toEqual(bytes);
    const events = await readEvents(second.path);
    expect(events[1]).toMatchObject({ restart: true, step: 7 });
    expect(events[2].scalars).toEqual({ x: 2 });
  });

  it("keeps numbers that are not finite", async () => {
    const writer = openEventWriter(join(root, "odd"));
    writer.scalars(1, { a: NaN, b: Infinity });
    writer.close();
    expect((await readEvents(writer.path))[1].scalars).toEqual({ a: NaN, b: Infinity });
  });

  it("refuses a picture that is no PNG, and a folder that is a file", () => {
    const writer = openEventWriter(join(root, "jpeg"));
    expect(() => writer.image(1, "x", Uint8Array.of(0xff, 0xd8))).toThrow("bytes of a PNG file");
    writer.close();
    const path = join(root, "file");
    writeFileSync(path, "");
    expect(() => openEventWriter(path)).toThrow(`cannot write ${JSON.stringify(path)}`);
  });
});
