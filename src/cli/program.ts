import { Command, CommanderError } from "commander";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";
import { VERSION } from "../core/version.ts";
import { argumentMistakes, mistakesError } from "./misuse.ts";
import { type Call, keyOf, type OptionValues, sharedOptions, type Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** A verb picked from the command line with what was given to it; undefined where help was printed. */
export type Picked = { verb: Verb; words: string[]; options: OptionValues };

function commandFor(program: Command, verb: Verb, pick: (picked: Picked) => void): void {
  const command = program.command(verb.name).summary(verb.summary).description(`${verb.summary}.`);
  for (const { name, describe } of verb.words ?? []) command.argument(name, describe);
  for (const spec of [...verb.options, ...sharedOptions]) {
    const option = command.createOption(spec.flags, spec.describe);
    option.helpGroup(spec.group ?? "Options:");
    if (spec.many === true) option.argParser((value, all: string[] = []) => [...all, value]);
    option.attributeName = () => keyOf(spec);
    command.addOption(option);
  }
  if (verb.examples !== undefined) {
    const lines = verb.examples.map((line) => `  $ contrapose ${line}`);
    command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
  }
  command.action(() => {
    pick({ verb, words: command.args, options: command.opts() });
  });
}

function programFor(pick: (picked: Picked) => void): Command {
  const program = new Command("contrapose");
  program.exitOverride(); // before any .command(): subcommands inherit it then only
  program.configureOutput({ outputError: () => undefined });
  program.description("Trains image encoders on unlabelled images by contrastive learning.");
  program.usage("<verb> [options]");
  program.version(VERSION, "-V, --version", "print the version");
  program.helpOption("-h, --help", "print help");
  program.helpCommand("help [verb]", "print help for a verb");
  program.commandsGroup("Verbs:");
  for (const verb of verbs) commandFor(program, verb, pick);
  const start = [
    "Start with:",
    "  $ contrapose quickstart            a whole run on made-up images, three minutes",
    "  $ contrapose train ./photos        an encoder for your own images",
    "  $ contrapose train --help          everything that can be set",
  ];
  program.addHelpText("after", `\n${start.join("\n")}`);
  return program;
}

function unknownVerb(name: string): ConfigError {
  const names = verbs.map((verb) => verb.name);
  const near = suggest(name, names);
  return new ConfigError(
    `${quoted(name)} is not a verb, expected one of ${names.join(", ")}`,
    near === undefined ? undefined : `did you mean contrapose ${near}?`,
  );
}

/** Reads the command line. Throws `ConfigError` naming every mistake in it. */
export function readArguments(argv: readonly string[]): Picked | undefined {
  let picked: Picked | undefined;
  const program = programFor((result) => (picked = result));
  if (argv.length === 0) {
    program.outputHelp();
    return undefined;
  }
  const verb = verbs.find(({ name }) => name === argv[0]);
  if (verb !== undefined) {
    const found = argumentMistakes(verb, argv.slice(1));
    const hint = `contrapose ${verb.name} --help lists all options`;
    if (found.length > 0) throw mistakesError(verb.name, found, hint);
  } else if (!argv[0].startsWith("-") && argv[0] !== "help") throw unknownVerb(argv[0]);
  else if (argv[0] === "help" && argv[1] !== undefined) {
    if (!verbs.some(({ name }) => name === argv[1])) throw unknownVerb(argv[1]);
  }
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    if (error.code === "commander.help") return undefined;
    throw new ConfigError(
      error.message.replace(/^error: /, ""),
      "contrapose --help lists all verbs",
    );
  }
  return picked;
}

/** What a verb's code is called with. */
export function callOf(picked: Picked, rest: Pick<Call, "printer" | "signal" | "saves">): Call {
  return { words: picked.words, options: picked.options, specs: picked.verb.options, ...rest };
}
