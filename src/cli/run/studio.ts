import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { openStudio } from "../../server/index.ts";
import { PARENT } from "../parent.ts";
import { DEMO, startDemo } from "./studioDemo.ts";
import type { Answer, Call } from "../verb.ts";
import { valueReader } from "../common/values.ts";

const command = [process.execPath, fileURLToPath(new URL("../main.js", import.meta.url))];

/** Shows an address in the browser of whoever sits before this machine; where there is none, nothing happens. */
function show(url: string): void {
  const { platform, env } = process;
  const seen = platform !== "linux" || env.DISPLAY !== undefined || env.WAYLAND_DISPLAY;
  if (!seen) return;
  const [program, ...words] =
    platform === "darwin"
      ? ["open", url]
      : platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler", url]
        : ["xdg-open", url];
  const child = spawn(program, words, { stdio: "ignore", detached: true });
  child.on("error", () => undefined); // the address is printed
  child.unref();
}

function checkFolder(folder: string): void {
  if (!existsSync(folder)) throw new ConfigError(`studio: ${quoted(folder)} does not exist`);
  if (statSync(folder).isDirectory()) return;
  throw new ConfigError(
    `studio: ${quoted(folder)} is a file, expected a folder`,
    "give the folder that it lies in",
  );
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Opens the studio and keeps it open until the call is ended. */
export async function runStudio(call: Call): Promise<Answer> {
  const { printer, options, signal } = call;
  const values = valueReader("studio", options);
  const port = values.number("port", { whole: true, least: 1, most: 65_535 });
  values.check();
  const demo = options.demo === true;
  const folders = call.words.length > 0 ? call.words : [demo ? DEMO : "."];
  if (demo) await startDemo(folders[0], command, call);
  folders.forEach(checkFolder);
  const environment = { [PARENT]: String(process.pid) };
  const studio = await openStudio({ folders, port, command, environment });
  call.saves(true);
  printer.note(`studio     of ${folders.join(", ")}; Ctrl-C closes it, trainings go on`);
  printer.say(studio.url);
  printer.answer({ url: studio.url });
  if (options.open !== false && !printer.json) show(studio.url);
  await ended(signal);
  await studio.close();
  return { url: studio.url };
}
