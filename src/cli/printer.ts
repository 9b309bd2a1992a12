import { createColors } from "picocolors";

import { harmless } from "../core/quote.ts";

/** Writes to the terminal: results on stdout, everything else on stderr. */
export type Printer = {
  readonly colours: ReturnType<typeof createColors>;
  /** Whether stderr is a terminal, so that a line may be redrawn. */
  readonly live: boolean;
  readonly columns: number;
  readonly json: boolean;
  readonly quiet: boolean;
  /** A line of the result; nothing with `--json`. */
  say(text?: string): void;
  /** A line of progress or a message; nothing with `--quiet`. A line that starts with `note` is told once. */
  note(text?: string): void;
  /** What a program reads of the result: one line of JSON with `--json`. Only the first counts. */
  answer(answer: Readonly<Record<string, unknown>>): void;
  /** Redraws the last line of a terminal; nothing where there is none. */
  redraw(text: string): void;
};

type Settings = { json: boolean; quiet: boolean; environment: NodeJS.ProcessEnv };

const CLEAR = "\r\u001b[2K";

/** Cuts a line that may hold colour codes to a number of visible characters. */
export function cut(text: string, columns: number): string {
  let [seen, out] = [0, ""];

  for (const part of text.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith("\u001b[")) out += part;
    else {
      const kept = [...part].slice(0, Math.max(0, columns - seen)).join("");
      seen += [...part].length;
      out += kept;
    }
  }
  return out;
}

/** Text with control characters escaped, so that names of others do not steer the terminal; line ends stay, and colours where there are any. */
export function printable(text: string, coloured: boolean): string {
  const kept = coloured ? /(\u001b\[\d{1,2}m|\n)/ : /(\n)/;
  return text
    .split(kept)
    .map((part, i) => (i % 2 === 1 ? part : harmless(part)))
    .join("");
}

/** A printer for this process. Colours and redrawing only on a terminal; `NO_COLOR` is respected. */
export function createPrinter({ json, quiet, environment }: Settings): Printer {
  const live = Boolean(process.stderr.isTTY) && environment.TERM !== "dumb" && !quiet; // undefined where piped
  const colours = createColors(live && !environment.NO_COLOR);
  const shown = (text: string) => printable(text, live);
  let [drawn, answered] = [false, false];
  const told = new Set<string>(); // notes: a verb may open the same images twice
  const clear = () => {
    if (drawn) process.stderr.write(CLEAR);
    drawn = false;
  };
  return {
    colours,
    live,
    columns: process.stderr.columns || 80, // 0 where a terminal does not say
    json,
    quiet,
    say(text = "") {
      clear();
      if (!json) process.stdout.write(`${shown(text)}\n`);
    },
    note(text = "") {
      clear();
      if (told.has(text)) return;
      if (/^note\s/.test(text)) told.add(text);
      if (!quiet) process.stderr.write(`${shown(text)}\n`);
    },
    answer(answer) {
      if (json && !answered) process.stdout.write(`${JSON.stringify(answer)}\n`);
      answered = true;
    },
    redraw(text) {
      if (!live) return;
      process.stderr.write(`${CLEAR}${cut(shown(text), (process.stderr.columns || 80) - 1)}`);
      drawn = text !== "";
    },
  };
}
