import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it, test } from "vitest";

import { hostArray, sizeOf } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import { decodeNpy, encodeNpy, readNpy, writeNpy, writeNpyRows } from "./npy.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-npy-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const python = "/usr/bin/python3";
const hasNumpy = existsSync(python) && spawnSync(python, ["-c", "import numpy"]).status === 0;
const matrix = hostArray("float32", [2, 3], Float32Array.of(1, 2, 3, -4, 0.5, NaN));

it("gives back arrays of any shape, and starts the data at a multiple of 64", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 });
  fc.assert(
    fc.property(sizes, (shape) => {
      const data = Int32Array.from({ length: sizeOf(shape) }, (_, i) => i * 7 - 3);
      const array = hostArray("int32", shape, data);
      const bytes = encodeNpy(array);
      expect((bytes.length - data.byteLength) % 64).toBe(0);
      expect(decodeNpy(bytes)).toEqual(array);
    }),
  );
});

it("goes through a file, whole or in blocks of rows", async () => {
  const path = join(root, "a.npy");
  await writeNpy(path, matrix);
  expect(await readNpy(path)).toEqual(matrix);
  const rows = join(root, "rows.npy");
  const blocks = [matrix.data.subarray(0, 3), matrix.data.subarray(3)];
  await writeNpyRows(rows, [2, 3], blocks);
  expect(await readNpy(rows)).toEqual(matrix);
});

it("leaves no file where there were fewer rows than said", async () => {
  const path = join(root, "short.npy");
  await expect(writeNpyRows(path, [3, 3], [matrix.data])).rejects.toThrow(
    "got 6 elements, expected 9 for shape [3, 3]",
  );
  expect(readdirSync(root).filter((name) => name.includes("short"))).toEqual([]);
});

it("tells damaged files apart, and never reads one that was cut", () => {
  const whole = encodeNpy(matrix);
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeNpy(whole.subarray(0, length), '"a.npy"')).toThrow(DataError);
  }
  const swap = (from: string, to: string) =>
    Buffer.from(Buffer.from(whole).toString("latin1").replace(from, to), "latin1");
  expect(() => decodeNpy(swap("False", "True "))).toThrow("Fortran order");
  expect(() => decodeNpy(swap("<f4", ">f4"))).toThrow('its elements are ">f4", expected one of');
  expect(() => decodeNpy(swap("(2, 3)", "(2, 4)"))).toThrow("has 24 bytes of data, expected 32");
  expect(() => decodeNpy(swap("descr", "odd"))).toThrow("its header is");
  expect(() => decodeNpy(swap("NUMPY", "numpy"), '"a.npy"')).toThrow(
    '"a.npy" is no usable .npy file',
  );
});

test.skipIf(!hasNumpy)(
  "numpy reads what is written (needs /usr/bin/python3 with numpy)",
  async () => {
    const path = join(root, "numpy.npy");
    for (const array of [
      matrix,
      hostArray("int32", [4], Int32Array.of(1, -2, 3, 2147483647)),
      hostArray("bool", [], Uint8Array.of(1)),
      hostArray("float64", [1, 0, 2], new Float64Array()),
    ]) {
      await writeNpy(path, array);
      const script = `
import json, sys, numpy as np
a = np.load(sys.argv[1])
print(json.dumps([str(a.dtype), list(a.shape), [None if x != x else x for x in a.ravel().tolist()]]))`;
      const { stdout } = spawnSync(python, ["-c", script, path], { encoding: "utf8" });
      const values = [...array.data].map((value) =>
        array.dtype === "bool" ? value === 1 : Number.isNaN(value) ? null : value,
      );
      expect(JSON.parse(stdout)).toEqual([array.dtype, [...array.shape], values]);
    }
  },
);

test.skipIf(!hasNumpy)(
  "what numpy writes is read (needs /usr/bin/python3 with numpy)",
  async () => {
    const script = `
import sys, numpy as np
x = np.arange(-3, 3)
for kind in ["i8", "i2", "i1", "f2", "f4", "f8"]:
    np.save(sys.argv[1] + "/" + kind + ".npy", x.astype(kind).reshape(2, 3))
np.save(sys.argv[1] + "/column.npy", np.asfortranarray(x.astype("f4").reshape(6, 1)))
np.save(sys.argv[1] + "/fortran.npy", np.asfortranarray(x.astype("f4").reshape(2, 3)))`;
    expect(spawnSync(python, ["-c", script, root]).status).toBe(0);
    for (const kind of ["i8", "i2", "i1", "f2", "f4", "f8"]) {
      const { shape, data } = await readNpy(join(root, `${kind}.npy`));
      expect([...shape]).toEqual([2, 3]);
      expect([...data]).toEqual([-3, -2, -1, 0, 1, 2]);
    }
    expect([...(await readNpy(join(root, "column.npy"))).data]).toEqual([-3, -2, -1, 0, 1, 2]);
    await expect(readNpy(join(root, "fortran.npy"))).rejects.toThrow("expected C order");
  },
);
