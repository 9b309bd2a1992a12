import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { hostArray } from "../src/core/arrays.ts";
import { encodePng } from "../src/data/index.ts";
import { blobs } from "../src/data/testing.ts";
import { writeNpy } from "../src/files/index.ts";
import { contrapose, scratch } from "./cli.ts";

const chromium = "/usr/bin/chromium";
const folder = scratch();
const photos = folder.at("photos");
let server: ChildProcess | undefined;
let address = "";

function serve(): Promise<string> {
  const script = join(import.meta.dirname, "..", "examples", "search-page", "serve.mjs");
  const args = [script, folder.at("exported"), folder.at("e"), photos, "--port", "0"];
  server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((done) => {
    server!.stdout!.once("data", (text: Buffer) => done(text.toString().trim()));
  });
}

beforeAll(async () => {
  mkdirSync(photos);
  for (let i = 0; i < 12; i++) {
    writeFileSync(join(photos, `${i} &.png`), await encodePng(blobs(i, 60 + i, 50)));
  }
  const flags = ["--epochs", "1", "--batch-size", "8", "--encoder", "convnet", "--width", "8"];
  const more = ["--set", "encoder.depth=2", "--image-size", "32", "--threads", "1"];
  const run = folder.at("run");
  const calls = [
    ["train", photos, "--out", run, ...flags, ...more, "--workers", "0"],
    ["embed", run, "--out", folder.at("e")],
    ["export", run, "--out", folder.at("exported")],
  ];
  for (const call of calls) expect((await contrapose(call)).code).toBe(0);
  address = await serve();
});
afterAll(() => {
  server?.kill();
  folder.remove();
});

test("the server gives nothing from outside its folders", async () => {
  expect((await fetch(`${address}images/0%20%26.png`)).status).toBe(200);
  expect((await fetch(`${address}images/..%2Frun%2Fconfig.json`)).status).toBe(403);
  expect((await fetch(`${address}contrapose/%2e%2e%2fpackage.json`)).status).toBe(403);
  expect((await fetch(`${address}images/none.png`)).status).toBe(404);
});

describe.skipIf(!existsSync(chromium))("in Chromium (needs /usr/bin/chromium)", () => {
  let browser: Browser;
  const errors: string[] = [];
  beforeAll(async () => {
    const { chromium: browsers } = await import("playwright-core");
    browser = await browsers.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    expect(errors).toEqual([]);
  });

  /** The page when it is ready, with other vectors than those of the server where they are given. */
  async function opened(vectors?: Buffer): Promise<Page> {
    const page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(error.message));
    if (vectors !== undefined) {
      await page.route("**/vectors.npy", (route) => route.fulfill({ body: vectors }));
    }
    await page.goto(address);
    await page.waitForSelector("#file:enabled");
    return page;
  }

  const idsOn = (page: Page) =>
    page.$$eval("#results li", (items) => items.map((item) => item.getAttribute("data-id")));

  test("a picture that is chosen finds itself first, then what embed says", async () => {
    const page = await opened();
    await page.setInputFiles("#file", join(photos, "7 &.png"));
    await page.waitForSelector("#results li");
    const text = await page.textContent("#results li:first-child span");
    const asked = ["search", folder.at("e"), "--id", "7 &.png", "--json", "--quiet"];
    const { hits } = (await contrapose(asked)).json() as { hits: { id: string }[] };
    expect(await idsOn(page)).toEqual(hits.map(({ id }) => id));
    expect(Number(text!.split(" ")[0])).toBeGreaterThan(0.999);
    expect(await page.textContent("#status")).toContain("12 images searched in");
  });

  test("a picture may be dropped anywhere, also beside the box", async () => {
    const page = await opened();
    const leaves = await page.evaluate(async (url) => {
      const picture = await (await fetch(url)).blob();
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([picture], "7.png", { type: "image/png" }));
      const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
      return document.querySelector("h1")!.dispatchEvent(event); // false where the page takes it
    }, "/images/7%20%26.png");
    expect(leaves).toBe(false);
    await page.waitForSelector("#results li");
    expect((await idsOn(page))[0]).toBe("7 &.png");
  });

  test("vectors of another encoder are not searched as if they were its own", async () => {
    const other = folder.at("other.npy");
    await writeNpy(other, hostArray("float32", [12, 3], new Float32Array(36).fill(1)));
    const page = await opened(readFileSync(other));
    await page.setInputFiles("#file", join(photos, "7 &.png"));
    await page.locator("#status", { hasText: "the vectors have 3" }).waitFor();
    expect(await idsOn(page)).toEqual([]);
  });
});
