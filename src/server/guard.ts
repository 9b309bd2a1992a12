import { timingSafeEqual } from "node:crypto";

import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";

/** Bytes of a request that a picture, a list of images and any other message may have. */
const PICTURE_BYTES = 64 * 2 ** 20;
const LIST_BYTES = 16 * 2 ** 20;
const MESSAGE_BYTES = 256 * 2 ** 10;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const headers = {
  "Content-Security-Policy": policy,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

function equal(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

/** Who may ask, and how. */
export type Door = { readonly token: string; readonly port: () => number };

const refuse = (c: Context, code: 400 | 401 | 403, error: string) => c.json({ error }, code);

/** Sets what a browser must know of every answer. */
export const answerHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  if (c.res.headers.get("Cache-Control") === null) c.header("Cache-Control", "no-store");
};

/** Lets in who names this machine, comes from this page, and has the token: in the address once, then as a cookie. */
export function guard({ token, port }: Door): MiddlewareHandler {
  const names = () => ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${port()}`);
  return async (c, next) => {
    const { method } = c.req;
    const host = c.req.header("Host") ?? "";
    if (!names().includes(host)) return refuse(c, 403, "this name is not that of the studio");
    const origin = c.req.header("Origin");
    const reads = method === "GET" || method === "HEAD";
    if (origin === undefined ? !reads : origin !== `http://${host}`) {
      return refuse(c, 403, "the studio answers to its own page only");
    }
    const cookie = `contrapose-${port()}`; // cookies of a host are shared by all its ports
    const given = c.req.query("token");
    if (reads && given !== undefined && equal(given, token)) {
      setCookie(c, cookie, token, { httpOnly: true, sameSite: "Strict", path: "/" });
      const to = new URL(c.req.url);
      to.searchParams.delete("token");
      return c.redirect(`${to.pathname}${to.search}`, 303);
    }
    if (!equal(getCookie(c, cookie) ?? "", token)) {
      return refuse(c, 401, "open the address that contrapose studio printed: it holds the token");
    }
    await next();
  };
}

const tooLarge = (c: Context) => c.json({ error: "the request is larger than allowed" }, 413);

/** Refuses bodies that are longer than a message. */
export const messageLimit = bodyLimit({ maxSize: MESSAGE_BYTES, onError: tooLarge });

/** Refuses bodies that are longer than a picture. */
export const pictureLimit = bodyLimit({ maxSize: PICTURE_BYTES, onError: tooLarge });

/** Refuses bodies that are longer than a list of images. */
export const idsLimit = bodyLimit({ maxSize: LIST_BYTES, onError: tooLarge });
