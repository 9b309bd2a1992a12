import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { encodePng } from "../src/data/index.ts";
import { blobs } from "../src/data/testing.ts";
import { contrapose, scratch } from "./cli.ts";

const folder = scratch();
const photos = folder.at("photos");
const dist = join(import.meta.dirname, "..", process.env.CONTRAPOSE_DIST ?? "dist");
const main = join(dist, "cli", "main.js");
const chromium = "/usr/bin/chromium";
const small = ["--encoder", "convnet", "--width", "8", "--set", "encoder.depth=2"];
const flags = [...small, "--batch-size", "8", "--image-size", "32", "--threads", "1"];
let studio: ChildProcess;
let address: URL;
let cookie = "";

type Asked = { method?: string; headers?: Record<string, string>; body?: string | number };
type Answered = { status: number; headers: Record<string, unknown>; text: string };

/** Sends a request as it is written, whatever a browser would make of it; a number as body is as many bytes. */
function ask(path: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { port } = address;
    const sent = request({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      let text = "";
      answer.on("data", (part: Buffer) => (text += part.toString()));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }),
      );
      answer.on("close", () => sent.destroy());
    });
    sent.on("error", reject);
    if (typeof body === "number") sent.flushHeaders();
    else sent.end(body);
  });
}

const known = () => ({ Cookie: cookie, Host: address.host });
const own = () => ({ ...known(), Origin: address.origin, "Content-Type": "application/json" });

beforeAll(async () => {
  mkdirSync(join(photos, "a <b>"), { recursive: true });
  mkdirSync(join(photos, "c"));
  for (let i = 0; i < 16; i++) {
    const name = join(photos, i % 2 === 0 ? "a <b>" : "c", `${i}.png`);
    writeFileSync(name, await encodePng(blobs(i - (i % 8 === 7 ? 2 : 0), 48, 48)));
  }
  writeFileSync(folder.at("secret.png"), await encodePng(blobs(99, 48, 48)));
  const run = folder.at("work", "runs", "first");
  const trained = await contrapose(["train", photos, "--out", run, "--epochs", "2", ...flags]);
  expect(trained.code, trained.err).toBe(0);
  const embedded = await contrapose(["embed", run, "--out", `${run}.parquet`]);
  expect(embedded.code, embedded.err).toBe(0);
  symlinkSync("/", folder.at("work", "everything"));
  studio = spawn(process.execPath, [main, "studio", folder.at("work"), "--no-open", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await new Promise<string>((done) =>
    studio.stdout!.once("data", (text: Buffer) => done(text.toString())),
  );
  address = new URL((JSON.parse(said) as { url: string }).url);
  const first = await ask(address.pathname + address.search, { headers: { Host: address.host } });
  cookie = String(first.headers["set-cookie"]).split(";")[0];
});

afterAll(async () => {
  const started = performance.now();
  const code = new Promise((done) => studio.on("exit", done));
  studio.kill("SIGINT");
  expect(await code).toBe(130);
  expect(performance.now() - started).toBeLessThan(5000);
  folder.remove();
});

type Overview = { runs: { id: string; state: string; images: number }[]; tables: { id: string }[] };
const overview = async () =>
  JSON.parse((await ask("/api/overview", { headers: known() })).text) as Overview;

test("the token becomes a cookie that no script reads and no other page sends", async () => {
  const { status, headers } = await ask(address.pathname + address.search, {
    headers: { Host: address.host },
  });
  expect(status).toBe(303);
  expect(headers.location).toBe("/");
  expect(String(headers["set-cookie"])).toMatch(/; Path=\/; HttpOnly; SameSite=Strict/);
});

test("every answer forbids scripts of others, frames, and sniffing", async () => {
  for (const path of ["/", "/api/overview", "/nothing"]) {
    const { headers } = await ask(path, { headers: known() });
    expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  }
});

test("finds runs and tables, and nothing behind a link", async () => {
  const { runs, tables } = await overview();
  expect(runs.map(({ state, images }) => [state, images])).toEqual([["done", 16]]);
  expect(tables).toHaveLength(1);
});

describe("attacks", () => {
  const evil = "http://evil.example";
  const json = "application/json";
  type Attack = [string, string, () => Asked, number];
  const attacks: Attack[] = [
    ["no token", "/api/overview", () => ({ headers: { Host: address.host } }), 401],
    ["no token, the page", "/", () => ({ headers: { Host: address.host } }), 401],
    ["a wrong token", "/?token=00", () => ({ headers: { Host: address.host } }), 401],
    [
      "a wrong cookie",
      "/api/overview",
      () => ({ headers: { ...known(), Cookie: `${cookie.split("=")[0]}=${"0".repeat(48)}` } }),
      401,
    ],
    [
      "another Host (DNS rebinding)",
      "/api/overview",
      () => ({ headers: { ...known(), Host: `evil.example:${address.port}` } }),
      403,
    ],
    [
      "the address of this machine by another name",
      "/api/overview",
      () => ({ headers: { ...known(), Host: `localhost.evil.example:${address.port}` } }),
      403,
    ],
    [
      "another port as Host",
      "/api/overview",
      () => ({ headers: { ...known(), Host: "127.0.0.1:1" } }),
      403,
    ],
    [
      "another Origin, reading",
      "/api/overview",
      () => ({ headers: { ...known(), Origin: evil } }),
      403,
    ],
    ["no Origin (null)", "/api/overview", () => ({ headers: { ...known(), Origin: "null" } }), 403],
    [
      "another Origin, starting",
      "/api/trainings",
      () => ({ method: "POST", headers: { ...own(), Origin: evil }, body: "{}" }),
      403,
    ],
    [
      "no Origin, starting",
      "/api/trainings",
      () => ({ method: "POST", headers: { ...known(), "Content-Type": json }, body: "{}" }),
      403,
    ],
    ["starting by reading", "/api/trainings", () => ({ headers: known() }), 404],
    ["no JSON", "/api/trainings", () => ({ method: "POST", headers: own(), body: "{" }), 400],
    [
      "an unknown field",
      "/api/trainings",
      () => ({ method: "POST", headers: own(), body: '{"settings":{},"command":"rm"}' }),
      400,
    ],
    [
      "a setting out of range",
      "/api/trainings",
      () => ({ method: "POST", headers: own(), body: '{"settings":{"data":"/x","epochs":-1}}' }),
      422,
    ],
    [
      "a body of 1 GB by its length",
      "/api/trainings",
      () => ({ method: "POST", headers: { ...own(), "Content-Length": "1000000000" }, body: 0 }),
      413,
    ],
    ["../ in a path", "/../../etc/passwd", () => ({ headers: known() }), 404],
    ["../ encoded", "/%2e%2e%2f%2e%2e%2fetc/passwd", () => ({ headers: known() }), 404],
    ["../ as an asset", "/assets/..%2f..%2fcli/main.js", () => ({ headers: known() }), 404],
    ["a path as an id", "/api/runs/..%2f..%2fetc", () => ({ headers: known() }), 404],
    ["an unknown id", "/api/runs/000000000000", () => ({ headers: known() }), 404],
    ["the prototype as an id", "/api/runs/__proto__", () => ({ headers: known() }), 404],
  ];
  test.each(attacks)("%s", async (_name, path, asked, status) => {
    const answer = await ask(path, asked());
    expect(answer.status, answer.text).toBe(status);
    expect(answer.text).not.toContain("root:");
  });

  test("a body of 1 GB that does not say its length is cut off", async () => {
    const { status } = await ask("/api/trainings", {
      method: "POST",
      headers: { ...own(), "Transfer-Encoding": "chunked" },
      body: " ".repeat(2 ** 20),
    });
    expect(status).toBe(413);
  });
});

test("the page is small and holds nothing of other places", () => {
  const page = readFileSync(join(dist, "studio", "index.html"), "utf8");
  expect(page).not.toMatch(/<script>|style=|https?:/);
  const assets = join(dist, "studio", "assets");
  const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
  const bytes = scripts.map((name) => gzipSync(readFileSync(join(assets, name))).length);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(400_000);
});

describe.skipIf(!existsSync(chromium))("in Chromium (needs /usr/bin/chromium)", () => {
  let browser: Browser;
  let page: Page;
  const wrong: string[] = [];
  beforeAll(async () => {
    const { chromium: browsers } = await import("playwright-core");
    browser = await browsers.launch({ executablePath: chromium, args: ["--no-sandbox"] });
    page = await browser.newPage();
    page.on("pageerror", (error) => wrong.push(error.message));
    page.on("console", (message) => {
      const refused = message.text().includes("422"); // on purpose, below
      if (message.type() === "error" && !refused) wrong.push(message.text());
    });
    page.on("request", (sent) => {
      if (!sent.url().startsWith(address.origin) && !sent.url().startsWith("blob:")) {
        wrong.push(`asks ${sent.url()}`);
      }
    });
    page.setDefaultTimeout(90_000);
  });
  afterAll(async () => {
    await browser?.close();
    expect(wrong).toEqual([]);
  });

  /** Nothing that keeps people out: axe-core, which the policy of the page lets in by the debugger only. */
  async function accessible(): Promise<void> {
    const axe = createRequire(import.meta.url).resolve("axe-core");
    await page.evaluate(readFileSync(axe, "utf8"));
    const found = await page.evaluate(async () => {
      const { axe: tool } = window as unknown as {
        axe: {
          run: () => Promise<{
            violations: { id: string; impact: string; nodes: { html: string }[] }[];
          }>;
        };
      };
      const { violations } = await tool.run();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
    });
    expect(found).toEqual([]);
  }

  test("a training is started, watched, stopped and resumed", async () => {
    await page.goto(address.href);
    await page.waitForSelector("text=runs/first");
    await accessible();
    await page.click("text=Start a training");
    await page.fill("#data", photos);
    await page.selectOption("#encoder", "convnet");
    await page.fill("#epochs", "5000");
    await page.fill("#batchSize", "0");
    await page.evaluate("document.querySelector('form').noValidate = true");
    await page.click("button:text-is('Start')");
    await page.waitForSelector("[role=alert] >> text=batchSize");
    await accessible();
    await page.fill("#batchSize", "8");
    await page.click("text=All other settings");
    await page.fill("#imageSize", "32");
    await page.fill("#threads", "1");
    await page.click("button:text-is('Start')");
    await page.waitForSelector(".state.training");
    await page.waitForSelector("figure canvas");
    const steps = () => page.innerText(".facts.big dd");
    const before = await steps();
    await page.waitForFunction(
      (text) => document.querySelector(".facts.big dd")?.textContent !== text,
      before,
    );
    await page.waitForSelector(".doctor .verdict");
    await accessible();
    await page.click("button:text-is('Stop')");
    await page.waitForSelector(".state.interrupted");
    await page.click("button:text-is('Resume')");
    await page.waitForSelector(".state.training");
    await page.goBack();
    await page.waitForSelector("h1:text-is('Start a training')");
    await page.click("nav >> text=Runs");
    await page.click("text=/photos-simclr/");
    await page.waitForSelector(".state.training");
    await page.click("button:text-is('Stop')");
    await page.waitForSelector(".state.interrupted");
  }, 240_000);

  test("pairs, search, duplicates and the map of a run", async () => {
    await page.goto(address.href);
    await page.click("text=runs/first");
    await page.click("text=Pairs");
    await page.waitForSelector(".anchor img");
    await page.keyboard.press("ArrowDown");
    await page.waitForURL(/anchor=1/);
    await page.waitForSelector("text=Pushed from");
    await accessible();

    await page.click("nav >> text=Search");
    await page.click(".hits .picture >> nth=2");
    await page.waitForSelector("text=/nearest images among 16 vectors/");
    expect(await page.innerText(".hits .card >> nth=0")).toContain("1.000");
    await page.fill("input[name=where]", "label = 'c'");
    await page.click("button:text-is('Filter')");
    await page.waitForSelector("text=/^8 nearest images/");
    await page.setInputFiles("input[type=file]", join(photos, "c", "1.png"));
    await page.waitForSelector("text=/^8 nearest images/");
    await page.waitForFunction(
      "document.querySelector('.hits .path')?.textContent.includes('1.png')",
    );
    await accessible();

    await page.click("nav >> text=Duplicates");
    await page.click("button:text-is('Look for duplicates')");
    await page.waitForSelector(".compare canvas");
    await page.waitForSelector("text=mean 0.0 of 255");
    await accessible();
    await page.keyboard.press("2");
    await page.keyboard.press("k");
    await page.waitForSelector(".groups >> text=one stays");
    const file = folder.at("work", "runs", "first.decisions.json");
    const applied = (await contrapose(["dedupe", "--apply", file, "--json"])).json();
    expect(applied).toMatchObject({ mayGo: [expect.stringMatching(/^c\//)], done: [] });
    const { groups } = JSON.parse(readFileSync(file, "utf8")) as { groups: string[][] };
    expect(groups).toEqual([expect.arrayContaining(applied.mayGo as string[])]);
    await page.click("text=Odd ones");
    await page.click("button:text-is('Look for odd images')");
    await page.waitForSelector("button:text-is('Look again'), .oddOne");

    await page.click("nav >> text=Map");
    await page.click("button:text-is('Make the map')");
    await page.waitForSelector(".map canvas");
    await page.keyboard.press("Tab");
    await page.focus(".map");
    await page.keyboard.press("+");
    await page.selectOption("text=colour by", "outlier");
    await page.waitForURL(/colour=outlier/);
    await accessible();
  }, 240_000);
});
