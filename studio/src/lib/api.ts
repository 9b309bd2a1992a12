/** A request that was refused or failed, with what the server says of it. */
export class Refused extends Error {}

async function answerOf<T>(response: Response): Promise<T> {
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer as T;
  const { error, hint } = answer as { error?: string; hint?: string };
  throw new Refused(
    [error ?? `the studio answers ${response.status}`, hint].filter(Boolean).join(". "),
  );
}

const unreachable = () =>
  new Refused(
    "The studio does not answer: it was closed, or is busy. Start contrapose studio again.",
  );

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  return answerOf<T>(
    await fetch(path, init).catch(() => {
      throw unreachable();
    }),
  );
}

/** Reads from the server. */
export const get = <T>(path: string): Promise<T> => ask(path);

/** Asks the server to do something. */
export const post = <T>(path: string, body?: unknown): Promise<T> =>
  ask(path, {
    method: "POST",
    ...(body === undefined
      ? {}
      : body instanceof Blob
        ? { body }
        : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
