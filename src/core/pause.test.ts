import { expect, test } from "vitest";

import { pauses } from "./pause.ts";

test("everything else has its turn during long work, and may stop it", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort());
  const pause = pauses("counting", stop.signal);
  const endless = async () => {
    for (;;) await pause();
  };
  await expect(endless()).rejects.toThrow("counting was interrupted");
});
