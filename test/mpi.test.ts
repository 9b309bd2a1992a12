import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { renderSamples } from "../src/data/index.ts";
import { contrapose, scratch } from "./cli.ts";

const root = join(import.meta.dirname, "..");
const main = join(root, process.env.CONTRAPOSE_DIST ?? "dist", "cli", "main.js");
const folder = scratch();
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 }); // programs of a busy machine start late
const { at } = folder;

/** Launchers of the two libraries, as Debian names them where both are there. */
const launchers = {
  openmpi: [
    ...["mpirun.openmpi", "--allow-run-as-root", "--oversubscribe"],
    ...["--mca", "btl_vader_single_copy_mechanism", "none"],
  ],
  mpich: ["mpirun.mpich"],
};
type Library = keyof typeof launchers;
const has = (library: Library) => spawnSync(launchers[library][0], ["--version"]).status === 0;
const libraries = Object.keys(launchers) as Library[];
const there = libraries.filter(has);

type Ended = { code: number | null; out: string; err: string; seconds: number };

/** Runs programs over ranks; `watch` sees what they print. */
function mpirun(
  library: Library,
  args: readonly string[],
  { env = {}, watch }: { env?: NodeJS.ProcessEnv; watch?: (err: string) => void } = {},
): Promise<Ended> {
  const [command, ...options] = launchers[library];
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, [...options, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.on("data", (text: Buffer) => {
      err += text.toString();
      watch?.(err);
    });
    child.on("close", (code) => {
      resolve({ code, out, err, seconds: (performance.now() - started) / 1000 });
    });
  });
}

const train = (out: string, ...more: string[]) => [
  ...["train", "--config", at("config.json"), "--out", at(out), ...more],
];
const weights = (run: string) =>
  readFileSync(at(run, "checkpoints", "last", "weights.safetensors"));
const errors = (text: string) =>
  text.split("\n").filter((line) => /^(error|.*\berror rank)/.test(line));

beforeAll(async () => {
  if (there.length === 0) return;
  await renderSamples(at("drawn"), { train: 22, test: 0, size: 16 });
  const config = {
    data: at("drawn", "train"),
    encoder: { name: "resnet", width: 16, blocks: [1] },
    batchSize: 8,
    microBatch: 2,
    imageSize: 16,
    threads: 1,
    workers: 0,
    tune: "off",
    epochs: 25,
    evaluation: { every: 0 },
    record: { steps: 0 },
    checkpoint: { seconds: 0.2 },
  };
  writeFileSync(at("config.json"), JSON.stringify(config));
  await contrapose(train("one"));
});
afterAll(folder.remove);

describe.each(libraries)("over ranks of %s (needs its mpirun)", (library) => {
  const rankTest = test.skipIf(!there.includes(library));

  rankTest("a training leaves the weights of one process, and rank 0 alone speaks", async () => {
    const ranks = library === "mpich" ? "4" : "2";
    const { code, out, err } = await mpirun(library, [
      "-np",
      ranks,
      process.execPath,
      main,
      ...train(library),
    ]);
    expect(err).toContain(
      `ranks      ${ranks}, joined by ${library === "mpich" ? "MPICH" : "Open MPI"}`,
    );
    expect(code).toBe(0);
    expect(out.match(/^done /gm)).toHaveLength(1);
    expect(weights(library).equals(weights("one"))).toBe(true);
  });

  rankTest(
    "a rank that is killed ends all within five seconds, and the run can be gone on with",
    async () => {
      let killed = 0;
      const name = `killed-${library}`;
      const { code, out, err } = await mpirun(
        library,
        ["-np", "2", process.execPath, main, ...train(name)],
        {
          watch(err) {
            const pid = Number(/rank 0 is \d+, 1 is (\d+)/.exec(err)?.[1]);
            if (killed > 0 || !(pid > 0) || !existsSync(at(name, "checkpoints", "last"))) return;
            process.kill(pid, "SIGKILL");
            killed = performance.now();
          },
        },
      );
      expect((performance.now() - killed) / 1000).toBeLessThan(5);
      expect(code).not.toBe(0);
      const pid = /1 is (\d+)/.exec(err)![1];
      // MPICH's launcher names the process, and tells of it among the results
      const gone = library === "mpich" ? new RegExp(`PID ${pid} `) : /process rank 1 .*signal 9/;
      expect(`${out}${err}`).toMatch(gone);
      const first = Number(/rank 0 is (\d+)/.exec(err)![1]);
      const isGone = () => {
        try {
          return !process.kill(first, 0);
        } catch {
          return true;
        }
      };
      await vi.waitUntil(isGone, { timeout: 5000 }); // the launcher may end before it, and it holds the run's lock
      const again = await contrapose(["train", "--resume", at(name)]);
      expect(again.err).not.toMatch(/^error/m);
      expect(again.code).toBe(0);
      expect(weights(name).equals(weights("one"))).toBe(true);
    },
  );
});

describe.skipIf(there.length === 0)(
  "ranks that cannot work together say so once (needs mpirun.openmpi or mpirun.mpich)",
  () => {
    const library = there[0];
    const expectError = ({ code, err }: Ended, sentence: string | RegExp) => {
      expect(errors(err)).toEqual([expect.stringMatching(sentence)]);
      expect(code).not.toBe(0);
    };

    test("around a verb for one process", async () => {
      const ended = await mpirun(library, ["-np", "2", process.execPath, main, "list", "losses"]);
      expectError(ended, "^error contrapose list runs in one process, it was started as 2 ranks$");
    });

    test("without the library", async () => {
      const env = { CONTRAPOSE_MPI: "libnothing.so" };
      const ended = await mpirun(library, ["-np", "2", process.execPath, main, ...train("none")], {
        env,
      });
      expectError(
        ended,
        '^error several ranks need an MPI library, and none was found \\(looked for "libnothing.so"\\)$',
      );
    });

    test("with mistakes in settings", async () => {
      const ended = await mpirun(library, [
        "-np",
        "2",
        process.execPath,
        main,
        ...train("bad", "--batch-size", "9"),
      ]);
      expectError(ended, "^error microBatch is 2, expected a divisor of batchSize 9$");
      expect(existsSync(at("bad"))).toBe(false);
    });

    test("of different versions", async () => {
      mkdirSync(at("other"));
      cpSync(join(root, "dist"), at("other", "dist"), { recursive: true });
      cpSync(join(root, "package.json"), at("other", "package.json"));
      symlinkSync(join(root, "node_modules"), at("other", "node_modules"));
      writeFileSync(at("other", "dist", "core", "version.js"), 'export const VERSION = "9.9.9";\n');
      const other = at("other", "dist", "cli", "main.js");
      const ended = await mpirun(library, [
        ...["-np", "1", process.execPath, main, ...train("mixed")],
        ...[":", "-np", "1", process.execPath, other, ...train("mixed")],
      ]);
      expectError(
        ended,
        "^error ranks run different versions of contrapose: rank 0 has \\S+, rank 1 has 9.9.9$",
      );
    });
  },
);
