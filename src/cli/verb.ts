import type { Leader, Ranks } from "../ranks/index.ts";
import type { Printer } from "./printer.ts";

/** One option of a verb, as it is written and as it reaches the code. */
export type OptionSpec = {
  /** As in help: `--batch-size <images>`; without `<…>` it is a switch. */
  readonly flags: string;
  readonly describe: string;
  /** Heading in help under which it stands. */
  readonly group?: string;
  /** Where its value belongs in a config, `optimiser.weightDecay`. */
  readonly path?: string;
  /** May be given several times; the value is a list. */
  readonly many?: boolean;
};

/** Values of options by camel-cased name: a string, a list of them, or true for a switch. */
export type OptionValues = Record<string, string | string[] | boolean | undefined>;

/** What a verb is run with. */
export type Call = {
  readonly words: readonly string[];
  readonly options: OptionValues;
  readonly specs: readonly OptionSpec[];
  readonly printer: Printer;
  /** Aborted by Ctrl-C and by SIGTERM while the work saves itself; else these end the process at once. */
  readonly signal: AbortSignal;
  /** Says from when on the work saves itself once `signal` is aborted, and from when on no more. */
  readonly saves: (on: boolean) => void;
  /** This process as the first of several; the others do what `follow` of the verb does. */
  readonly leader: Leader;
};

/** What a program reads: printed as one line of JSON with `--json`. */
export type Answer = Record<string, unknown>;

/** A word that a verb is given. */
export type Word = { readonly name: string; readonly describe: string };

/**
 * A command: what help says of it and, loaded only when it is called, what it does. `run` prints its
 * result with `printer.say` and returns the same as an object.
 */
export type Verb = {
  readonly name: string;
  readonly summary: string;
  /** As commander writes it: `[data]`, `<run>`. */
  readonly words?: readonly Word[];
  /** Its options, or what gives them where they come from the schema of a run. */
  readonly options: readonly OptionSpec[] | (() => Promise<readonly OptionSpec[]>);
  readonly examples?: readonly string[];
  /** Whether the answer tells of a failure: the exit code is 1 then. Never by default. */
  readonly failed?: (answer: Answer) => boolean;
  load(): Promise<(call: Call) => Promise<Answer>>;
  /** What other ranks than 0 do, to an exit code; without it the verb is for one process. */
  follow?(): Promise<(ranks: Ranks) => Promise<number>>;
};

/** Options that every verb has. */
export const sharedOptions: readonly OptionSpec[] = [
  { flags: "--json", describe: "print the result as one line of JSON on stdout", group: "Output:" },
  { flags: "--quiet", describe: "print no progress", group: "Output:" },
  {
    group: "Parts of your own:",
    flags: "--plugin <module>",
    many: true,
    describe: "a file or package whose losses, samplers … join the catalogues; repeatable",
  },
];

/** `--batch-size <images>` to `--batch-size`. */
export const longName = ({ flags }: OptionSpec): string => flags.split(" ")[0];

/** `--batch-size <images>` to `batchSize`; `--no-estimate` to `estimate`, which is false where it is given. */
export const keyOf = (spec: OptionSpec): string =>
  longName(spec)
    .replace(/^--(no-)?/, "")
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Whether an option takes a value. */
export const takesValue = ({ flags }: OptionSpec): boolean => flags.includes("<");
