import { randomBytes } from "node:crypto";
import type { Server } from "node:http";

import { serve } from "@hono/node-server";
import { Hono } from "hono";

import { ConfigError, ContraposeError } from "../core/errors.ts";
import { addAssets } from "./assets.ts";
import { openGalleries } from "./galleries.ts";
import { answerHeaders, guard } from "./guard.ts";
import { addImages } from "./imageRoutes.ts";
import { openJobs } from "./jobs.ts";
import { addMaps } from "./mapRoutes.ts";
import { addPairs } from "./pairRoutes.ts";
import { addDecisions, addReview } from "./reviewRoutes.ts";
import { addSearch, addTables, openTables } from "./searchRoutes.ts";
import { watchFolders } from "./overview.ts";
import { addRuns } from "./runRoutes.ts";
import { addTrainings } from "./trainingRoutes.ts";

/** How a studio is opened. */
export type StudioOptions = {
  /** Folders that are looked through for runs, tables of embeddings and images. */
  readonly folders: readonly string[];
  readonly port?: number | undefined; // a free one by default
  /** The program that runs verbs, with its first words. */
  readonly command: readonly string[];
  /** What such a program is told, so that it ends with the studio. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** A studio that is open. */
export type Studio = {
  readonly url: string; // with the token
  close(): Promise<void>;
};

function listen(app: Hono, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => {
      resolve(server as Server);
    });
    (server as Server).on("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      const message = `studio: port ${port} ${taken ? "is taken" : `cannot be opened (${error.code})`}`;
      reject(new ConfigError(message, "leave --port out for a free one", { cause: error }));
    });
  });
}

/** Opens the studio on this machine's own address. */
export async function openStudio(options: StudioOptions): Promise<Studio> {
  const { folders, command, environment = {} } = options;
  const token = randomBytes(24).toString("hex");
  const jobs = openJobs(command, environment);
  const watch = await watchFolders(folders, jobs);
  let port = options.port ?? 0;
  const app = new Hono();
  app.use(answerHeaders, guard({ token, port: () => port }));
  app.onError((error, c) => {
    if (error instanceof ContraposeError) {
      return c.json({ error: error.message, hint: error.hint }, 422);
    }
    return c.json({ error: `unexpected failure: ${error.message}` }, 500);
  });
  app.notFound((c) => c.json({ error: "there is no such thing here" }, 404));
  addRuns(app, watch, jobs);
  addTrainings(app, watch, jobs);
  const [galleries, tables] = [openGalleries(watch.places), openTables(watch)];
  addImages(app, galleries);
  addPairs(app, watch, galleries);
  addTables(app, tables);
  addSearch(app, tables);
  addReview(app, watch, jobs, galleries);
  addDecisions(app, watch, galleries);
  addMaps(app, tables);
  addAssets(app);
  const server = await listen(app, port);
  const address = server.address();
  if (typeof address === "object" && address !== null) port = address.port;
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    close: () =>
      new Promise((resolve) => {
        watch.close();
        jobs.close();
        galleries.close();
        tables.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
