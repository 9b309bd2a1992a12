import type { Overview } from "../../../src/server/wire.ts";

const empty: Overview = { folders: [], runs: [], tables: [], images: [], jobs: [] };

/** What the server sees, as it changes. */
export const live = $state({ overview: empty, known: false, connected: true });

/** Listens until the page goes; the browser connects again by itself. */
export function listen(): void {
  const events = new EventSource("/api/events");
  events.addEventListener("overview", (event) => {
    live.overview = JSON.parse((event as MessageEvent<string>).data) as Overview;
    live.known = true;
    live.connected = true;
  });
  events.addEventListener("error", () => (live.connected = false));
  events.addEventListener("open", () => (live.connected = true));
}
