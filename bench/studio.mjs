// The studio's own times: first paint, the map of ROWS vectors, its frames in Chromium without a GPU, exact search.
//   node bench/studio.mjs [rows 50000] [dimension 128]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { randomStream } from "../dist/core/index.js";
import { writeEmbeddings } from "../dist/store/index.js";

const [count = 50_000, dimension = 128] = process.argv.slice(2).map(Number);
const KINDS = 40;
const folder = mkdtempSync(join(tmpdir(), "contrapose-"));
const stream = randomStream("studio bench");
const centres = Float32Array.from({ length: KINDS * dimension }, () => stream.normal());
const data = new Float32Array(count * dimension);
for (let i = 0; i < data.length; i++) {
  const row = Math.floor(i / dimension);
  data[i] = centres[(row % KINDS) * dimension + (i % dimension)] + 0.7 * stream.normal();
}
const images = Array.from({ length: count }, (_, i) => ({
  id: `${i}.jpg`,
  path: `${i}.jpg`,
  label: `kind ${i % KINDS}`,
  group: i,
  width: 0,
  height: 0,
  content: "",
}));
const features = { data, count, dimension };
await writeEmbeddings({ parquet: join(folder, "t.parquet") }, { images, features, facts: {} });

const studio = spawn(
  process.execPath,
  ["dist/cli/main.js", "studio", folder, "--no-open", "--json"],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const url = new URL(
  JSON.parse(await new Promise((done) => studio.stdout.once("data", (text) => done(`${text}`))))
    .url,
);
const args = [
  "--no-sandbox",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const say = (name, value) => console.log(name.padEnd(34), value);
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(0);
  await page.goto(url.href);
  const paints = [];
  for (let i = 0; i < 5; i++) {
    await page.reload();
    const painted = () => performance.getEntriesByName("first-contentful-paint").length > 0;
    await page.waitForFunction(painted);
    paints.push(
      await page.evaluate(
        () => performance.getEntriesByName("first-contentful-paint")[0].startTime,
      ),
    );
  }
  say("first paint, median of 5", `${middle(paints).toFixed(0)} ms`);
  const { tables } = await page.evaluate(async () => (await fetch("/api/overview")).json());
  await page.goto(`${url.origin}/map/${tables[0].id}`);
  await page.click("text=Make the map");
  const started = performance.now();
  await page.waitForSelector(".map canvas");
  say(`map of ${count} x ${dimension}`, `${((performance.now() - started) / 1000).toFixed(1)} s`);
  await page.waitForTimeout(2000);
  const found = await page.evaluate(async () => {
    const map = document.querySelector(".map");
    const { left, top, width, height } = map.getBoundingClientRect();
    const at = (type, x, y) =>
      map.dispatchEvent(
        new PointerEvent(type, {
          pointerId: 1,
          clientX: left + x,
          clientY: top + y,
          bubbles: true,
        }),
      );
    map.setPointerCapture = () => undefined;
    at("pointerdown", width / 2, height / 2);
    const frames = [];
    const pixel = new Uint8Array(4);
    const gl = map.querySelector("canvas").getContext("webgl2");
    for (let i = 0, before = 0; i < 90; i++) {
      at("pointermove", width / 2 + 2 * i, height / 2 + i);
      const now = await new Promise((done) =>
        requestAnimationFrame(() => requestAnimationFrame(done)),
      );
      gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel); // waits until it is drawn
      const done = performance.now();
      if (before > 0) frames.push(done - before);
      before = performance.now();
      void now;
    }
    at("pointerup", width / 2, height / 2);
    const renderer = gl?.getExtension("WEBGL_debug_renderer_info");
    return {
      frames,
      renderer: renderer ? gl.getParameter(renderer.UNMASKED_RENDERER_WEBGL) : "no WebGL",
    };
  });
  const sorted = found.frames.toSorted((a, b) => a - b);
  say(
    "a frame while panning, two refreshes",
    `median ${middle(sorted).toFixed(1)} ms, 95 % below ${sorted[Math.floor(0.95 * sorted.length)].toFixed(1)} ms (${found.renderer})`,
  );
  const searches = await page.evaluate(async (id) => {
    const times = [];
    for (let i = 0; i < 20; i++) {
      times.push((await (await fetch(`/api/tables/${id}/search?row=${i}`)).json()).milliseconds);
    }
    return times;
  }, tables[0].id);
  say("exact search, median of 20", `${middle(searches).toFixed(1)} ms`);
  say("machine", `${cpus()[0].model}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`);
} finally {
  await browser.close();
  studio.kill("SIGINT");
  rmSync(folder, { recursive: true, force: true });
}
