import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, it, test } from "vitest";

import { DataError } from "../core/errors.ts";
import { atomicStream, withAtomicFile, writeFileAtomic } from "./atomic.ts";
import { recoverFolder, writeFolderAtomic } from "./atomicFolder.ts";
import { fileError } from "./fileError.ts";
import { makeFolder } from "./makeFolder.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Source files as JavaScript that a bare `node` runs, in a folder of their own. */
function transpiled(files: string[]): string {
  const folder = fresh();
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const file of files) {
    const source = readFileSync(new URL(`../${file}.ts`, import.meta.url), "utf8");
    const compilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      rewriteRelativeImportExtensions: true,
    };
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(
      join(folder, `${file}.js`),
      ts.transpileModule(source, { compilerOptions }).outputText,
    );
  }
  return folder;
}
const names = ["atomic", "atomicFolder", "fileError", "makeFolder", "isRunning", "temporary"];
let count = 0;
const fresh = () => {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  return folder;
};
const caught = async (run: () => Promise<unknown>): Promise<DataError> => {
  try {
    await run();
  } catch (error) {
    return error as DataError;
  }
  throw new Error("nothing was thrown");
};

describe("writeFileAtomic", () => {
  it("writes text and bytes, over an earlier file, and leaves nothing else", async () => {
    const folder = fresh();
    await writeFileAtomic(join(folder, "a"), "earlier and longer");
    await writeFileAtomic(join(folder, "a"), "später");
    await writeFileAtomic(join(folder, "b"), Uint8Array.of(0, 255));
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("später");
    expect([...readFileSync(join(folder, "b"))]).toEqual([0, 255]);
    expect(readdirSync(folder)).toEqual(["a", "b"]);
  });

  it("makes the folders on the way", async () => {
    const path = join(fresh(), "x", "y", "z.txt");
    await writeFileAtomic(path, "1");
    expect(readFileSync(path, "utf8")).toBe("1");
  });

  it("writes through a symbolic link and keeps the link", async () => {
    const folder = fresh();
    writeFileSync(join(folder, "real"), "old");
    symlinkSync(join(folder, "real"), join(folder, "link"));
    await writeFileAtomic(join(folder, "link"), "new");
    expect(readFileSync(join(folder, "real"), "utf8")).toBe("new");
  });

  it("refuses a folder, a device and a path through a file, and names the path", async () => {
    const folder = fresh();
    writeFileSync(join(folder, "file"), "kept");
    for (const [path, problem] of [
      [folder, "it is a folder, expected a file"],
      ["/dev/null", "it is a device or pipe, expected a file"],
      [join(folder, "file", "below"), "a part of the path is a file, expected a folder"],
    ]) {
      const error = await caught(() => writeFileAtomic(path, "x"));
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toBe(`cannot write ${JSON.stringify(path)}: ${problem}`);
      expect(error.hint).toBeTruthy();
    }
    expect(statSync("/dev/null").isFile()).toBe(false);
  });

  test.skipIf(process.getuid?.() === 0)(
    "a folder without permission (needs a user not root)",
    async () => {
      const folder = join(fresh(), "closed");
      mkdirSync(folder, { mode: 0o500 });
      const error = await caught(() => writeFileAtomic(join(folder, "x"), "x"));
      expect(error.message).toBe(
        `cannot write ${JSON.stringify(join(folder, "x"))}: permission denied`,
      );
    },
  );
});

describe("withAtomicFile", () => {
  it("keeps the earlier file and nothing of the new one where filling fails", async () => {
    const folder = fresh();
    const path = join(folder, "a");
    writeFileSync(path, "earlier");
    const error = await caught(() =>
      withAtomicFile(path, async (file) => {
        await file.write("half");
        expect(file.size).toBe(4);
        throw new Error("no more");
      }),
    );
    expect(error.message).toBe("no more");
    expect(readFileSync(path, "utf8")).toBe("earlier");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("shows the file only once it is committed", async () => {
    const folder = fresh();
    const file = await atomicStream(join(folder, "a"));
    await file.write("one ");
    expect(existsSync(join(folder, "a"))).toBe(false);
    await file.write("two");
    await file.commit();
    await file.discard();
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("one two");
    await expect(file.commit()).rejects.toThrow("is finished already");
  });

  it("survives two writers of the same file: one of them wins whole", async () => {
    const path = join(fresh(), "a");
    const texts = ["x".repeat(100_000), "y".repeat(100_000)];
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, "utf8"));
  });

  it("removes what a killed process left, not what a living one is writing", async () => {
    const folder = fresh();
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const living = spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"]);
    const before = new Date(performance.timeOrigin - 60_000);
    const parts = {
      dead: `.a.${dead}-00000001.part`,
      living: `.a.${living.pid}-00000002.part`,
      own: `.a.${process.pid}-00000003.part`,
      reused: `.a.${process.pid}-00000004.part`,
      other: `.b.${dead}-00000005.part`,
    };
    for (const name of Object.values(parts)) writeFileSync(join(folder, name), "");
    utimesSync(join(folder, parts.reused), before, before);
    await writeFileAtomic(join(folder, "a"), "x");
    living.kill();
    expect(readdirSync(folder).sort()).toEqual(["a", parts.living, parts.own, parts.other].sort());
  });
});

describe("makeFolder", () => {
  it("makes what is missing on the way, and is content with what is there", () => {
    const folder = fresh();
    makeFolder(join(folder, "a", "b", "c"));
    makeFolder(join(folder, "a", "b", "c"));
    makeFolder(".");
    expect(statSync(join(folder, "a", "b", "c")).isDirectory()).toBe(true);
  });

  it("says that a file stands in the way, as the folder itself or before it", () => {
    const file = join(fresh(), "file");
    writeFileSync(file, "kept");
    for (const path of [file, join(file, "a"), join(file, "a", "b")]) {
      expect(() => makeFolder(path)).toThrow(
        `cannot make ${JSON.stringify(path)}: a part of the path is a file, expected a folder`,
      );
    }
  });

  it("says that a link leads nowhere instead of following it", () => {
    const folder = fresh();
    symlinkSync(join(folder, "nowhere"), join(folder, "link"));
    expect(() => makeFolder(join(folder, "link", "a"))).toThrow(DataError);
  });
});

describe("fileError", () => {
  test.skipIf(!existsSync("/dev/full"))("a full disk is one sentence (needs /dev/full)", () => {
    const device = openSync("/dev/full", "w");
    let error: unknown;
    try {
      writeSync(device, "x");
    } catch (failure) {
      error = fileError(failure, "write", "out/e.npy");
    }
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toBe('cannot write "out/e.npy": the disk is full');
    expect((error as DataError).hint).toBe("free some space or choose another disk");
  });

  it("explains the errors that users meet and keeps the rest as they are", () => {
    for (const code of ["ENOSPC", "EACCES", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "EWEIRD"]) {
      const system = Object.assign(new Error("system text"), { code, syscall: "open" });
      const error = fileError(system, "write", "p") as DataError;
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toMatch(/^cannot write "p": /);
      expect(error.message.includes("EWEIRD")).toBe(code === "EWEIRD");
      expect(error.cause).toBe(system);
    }
    const bug = new TypeError("x is undefined");
    expect(fileError(bug, "write", "p")).toBe(bug);
    const known = new DataError("one");
    expect(fileError(known, "write", "p")).toBe(known);
  });
});

describe("writeFolderAtomic", () => {
  const put = (path: string, text: string) =>
    writeFolderAtomic(path, async (folder) => {
      mkdirSync(join(folder, "deep"));
      writeFileSync(join(folder, "deep", "file"), text);
    });
  const content = (path: string) => readFileSync(join(path, "deep", "file"), "utf8");

  it("puts a folder in its place, over an earlier one, and leaves nothing else", async () => {
    const folder = fresh();
    await put(join(folder, "runs", "last"), "1");
    await put(join(folder, "runs", "last"), "2");
    expect(content(join(folder, "runs", "last"))).toBe("2");
    expect(readdirSync(join(folder, "runs"))).toEqual(["last"]);
  });

  it("keeps the earlier folder where filling fails", async () => {
    const folder = fresh();
    const path = join(folder, "last");
    await put(path, "1");
    await caught(() =>
      writeFolderAtomic(path, async (temporary) => {
        writeFileSync(join(temporary, "half"), "");
        throw new Error("no more");
      }),
    );
    expect(content(path)).toBe("1");
    expect(readdirSync(folder)).toEqual(["last"]);
  });

  it("names the file that could not be written as it would have been called", async () => {
    const path = join(fresh(), "last");
    const fill = (folder: string) => {
      mkdirSync(join(folder, "weights"));
      return writeFileAtomic(join(folder, "weights"), "x");
    };
    const error = await caught(() => writeFolderAtomic(path, fill));
    expect(error.message).toBe(
      `cannot write ${JSON.stringify(join(path, "weights"))}: it is a folder, expected a file`,
    );
    expect(error.hint).toBe("give the name of a file");
  });

  it("refuses to replace a file", async () => {
    const path = join(fresh(), "last");
    writeFileSync(path, "kept");
    await expect(put(path, "1")).rejects.toThrow("it is a file, expected a folder or nothing");
    expect(readFileSync(path, "utf8")).toBe("kept");
  });

  it("says so where there is no folder", async () => {
    expect(await recoverFolder(join(fresh(), "last"))).toBe(false);
    expect(await recoverFolder(join(root, "nowhere", "last"))).toBe(false);
  });

  it("puts the earlier folder back where the process died between the two renames", async () => {
    const folder = fresh();
    const path = join(folder, "last");
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    await put(join(folder, `.last.${dead}-00000001.old`), "1");
    await put(join(folder, `.last.${dead}-00000002.part`), "2 half written");
    expect(await recoverFolder(path)).toBe(true);
    expect(content(path)).toBe("1");
    expect(readdirSync(folder)).toEqual(["last"]);
  });

  it("is whole at whatever moment the process is killed", async () => {
    const folder = fresh();
    const path = join(folder, "last");
    const compiled = transpiled([
      "core/errors",
      "core/quote",
      ...names.map((name) => `files/${name}`),
    ]);
    const script = `
      import { writeFolderAtomic } from ${JSON.stringify(join(compiled, "files/atomicFolder.js"))};
      import { writeFileSync } from "node:fs";
      for (let i = 0; ; i++) {
        await writeFolderAtomic(${JSON.stringify(path)}, async (folder) => {
          for (const name of ["a", "b", "c"]) writeFileSync(folder + "/" + name, String(i).repeat(10000));
        });
        if (i === 0) console.log("ready");
      }`;
    for (const delay of [3, 9, 17]) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect(await recoverFolder(path)).toBe(true);
      const [a, b, c] = ["a", "b", "c"].map((name) => readFileSync(join(path, name), "utf8"));
      expect(b).toBe(a);
      expect(c).toBe(a);
      expect(readdirSync(folder)).toEqual(["last"]);
    }
  });
});
