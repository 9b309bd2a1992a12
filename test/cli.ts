import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a call of the command line gave. */
export type Called = {
  code: number | null;
  out: string;
  err: string;
  json: () => Record<string, unknown>;
};

const main = join(
  import.meta.dirname,
  "..",
  process.env.CONTRAPOSE_DIST ?? "dist",
  "cli",
  "main.js",
);

/** Runs the command line; `kill` may end it early with a signal. */
export function contrapose(
  args: readonly string[],
  options: {
    cwd?: string;
    kill?: (child: ReturnType<typeof spawn>) => void;
    env?: NodeJS.ProcessEnv;
  } = {},
): Promise<Called> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.on("data", (text: Buffer) => (err += text.toString()));
    options.kill?.(child);
    child.on("close", (code) => {
      const json = () => JSON.parse(out.trimEnd().split("\n").at(-1)!) as Record<string, unknown>;
      resolve({ code, out, err, json });
    });
  });
}

/** A folder that is removed by `remove`. */
export function scratch(): {
  path: string;
  at: (...names: string[]) => string;
  remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), "contrapose-"));
  return {
    path,
    at: (...names) => join(path, ...names),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Writes images of two or more kinds of stripes in CIFAR-10's binary format: easy to tell apart. */
export function writeStripes(path: string, images: number, kinds = 4): void {
  const bytes = Buffer.alloc(images * 3073);
  for (let i = 0; i < images; i++) {
    const kind = i % kinds;
    bytes[i * 3073] = kind;
    const shift = (i * 7919) % 17;
    for (let p = 0; p < 1024; p++) {
      const [x, y] = [p % 32, p >> 5];
      const wave = Math.sin(((kind % 2 === 0 ? x : y) + shift) * (0.4 + 0.3 * kind));
      for (let c = 0; c < 3; c++) {
        const value = 128 + 90 * wave * (1 - 0.2 * c) + ((i * 31 + p * 17 + c * 7) % 23);
        bytes[i * 3073 + 1 + c * 1024 + p] = Math.max(0, Math.min(255, Math.round(value)));
      }
    }
  }
  writeFileSync(path, bytes);
}
