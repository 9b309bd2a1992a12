import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { DataError } from "../core/errors.ts";
import { encodeRecord } from "./eventRecords.ts";
import { fileError } from "./fileError.ts";
import { makeFolders } from "./makeFolder.ts";
import { bytesField, encodeMessage, integerField } from "./protobuf.ts";
import type { Field } from "./protobuf.ts";

/** An open TensorBoard event file. Every call writes at once, so TensorBoard sees it as training goes. */
export type EventWriter = {
  readonly path: string;
  /** Numbers of a step by tag: `{ "train/loss": 5.2 }`. */
  scalars(step: number, values: Record<string, number>): void;
  /** A picture of a step, as the bytes of a PNG file. */
  image(step: number, tag: string, png: Uint8Array): void;
  /** Forces what was written to the disk. */
  flush(): void;
  /** Flushes and closes. */
  close(): void;
};

const PREFIX = "events.out.tfevents.";

/** Seconds for a new file's name: TensorBoard reads a folder's files in the order of their names. */
function secondsAfter(folder: string, now: number): number {
  const earlier = readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => Number.parseInt(name.slice(PREFIX.length), 10));
  return Math.max(now, ...earlier.filter(Number.isFinite).map((seconds) => seconds + 1));
}

const channelsOf: Record<number, number> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 }; // by PNG colour type

function pngSize(png: Uint8Array): { width: number; height: number; channels: number } {
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  if (png.length < 26 || signature.some((byte, i) => png[i] !== byte)) {
    throw new DataError("tensorboard: a picture must be the bytes of a PNG file");
  }
  const view = new DataView(png.buffer, png.byteOffset);
  const channels = channelsOf[view.getUint8(25)] ?? 3;
  return { width: view.getUint32(16), height: view.getUint32(20), channels };
}

function scalarValue(tag: string, value: number): Field {
  return bytesField(1, encodeMessage([bytesField(1, tag), { number: 2, kind: "float", value }]));
}

function imageValue(tag: string, png: Uint8Array): Field {
  const { width, height, channels } = pngSize(png);
  const image = [integerField(1, height), integerField(2, width), integerField(3, channels)];
  const encoded = encodeMessage([...image, bytesField(4, png)]);
  return bytesField(1, encodeMessage([bytesField(1, tag), bytesField(4, encoded)]));
}

/**
 * Starts a TensorBoard event file in a folder.
 *
 * A run that goes on starts a new file and gives `resumeAt`, the step after the checkpoint: what
 * earlier files hold of that step and later ones TensorBoard then leaves out.
 */
export function openEventWriter(folder: string, resumeAt?: number): EventWriter {
  const safely = <T>(path: string, run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw fileError(error, "write", path);
    }
  };
  const path = safely(folder, () => {
    makeFolders(folder);
    const seconds = secondsAfter(folder, Math.floor(Date.now() / 1000));
    const host = hostname().replace(/[^\w.-]/g, "-") || "localhost";
    return join(folder, `${PREFIX}${seconds}.${host}.${process.pid}`);
  });
  const file = safely(path, () => openSync(path, "ax"));
  let size = 0;
  const append = (step: number, fields: Field[]) => {
    const time: Field = { number: 1, kind: "double", value: Date.now() / 1000 };
    const record = encodeRecord(encodeMessage([time, integerField(2, step), ...fields]));
    safely(path, () => {
      try {
        for (let at = 0; at < record.length;) at += writeSync(file, record, at);
        size += record.length;
      } catch (error) {
        ftruncateSync(file, size); // no half record: what comes after it could not be read
        throw error;
      }
    });
  };
  append(0, [bytesField(3, "brain.Event:2")]);
  if (resumeAt !== undefined) {
    append(resumeAt, [bytesField(7, encodeMessage([integerField(1, 1)]))]); // SessionLog START
  }
  const summary = (step: number, values: Field[]) =>
    append(step, [bytesField(5, encodeMessage(values))]);
  const flush = () => safely(path, () => fsyncSync(file));
  return {
    path,
    scalars: (step, values) =>
      summary(
        step,
        Object.entries(values).map(([tag, value]) => scalarValue(tag, value)),
      ),
    image: (step, tag, png) => summary(step, [imageValue(tag, png)]),
    flush,
    close: () => {
      flush();
      closeSync(file);
    },
  };
}
