import { Command, CommanderError } from "commander";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";
import { VERSION } from "../core/version.ts";
import { mistakesError, parseArguments } from "./arguments.ts";
import { type Call, type OptionSpec, sharedOptions, type Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** A verb picked from the command line with what was given to it. */
export type Picked = Pick<Call, "words" | "options" | "specs"> & { verb: Verb };

type Asked = { verb: Verb; specs: readonly OptionSpec[] };

function addVerb(program: Command, verb: Verb, specs: readonly OptionSpec[]): void {
  const command = program.command(verb.name).summary(verb.summary).description(`${verb.summary}.`);
  for (const { name, describe } of verb.words ?? []) command.argument(name, describe);
  for (const { flags, describe, group = "Options:" } of specs) {
    command.addOption(command.createOption(flags, describe).helpGroup(group));
  }
  if (verb.examples === undefined) return;
  const lines = verb.examples.map((line) => `  $ contrapose ${line}`);
  command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** The program as its help shows it, with the options of the verb that help is asked for. */
function programFor(asked: Asked | undefined): Command {
  const program = new Command("contrapose");
  program.exitOverride(); // before any .command(): subcommands inherit it then only
  program.configureOutput({ outputError: () => undefined });
  program.description("Trains image encoders on unlabelled images by contrastive learning.");
  program.usage("<verb> [options]");
  program.version(VERSION, "-V, --version", "print the version");
  program.helpOption("-h, --help", "print help");
  program.helpCommand("help [verb]", "print help for a verb");
  program.commandsGroup("Verbs:");
  for (const verb of verbs) addVerb(program, verb, verb === asked?.verb ? asked.specs : []);
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

async function askedOf(name: string | undefined): Promise<Asked | undefined> {
  const verb = verbs.find((one) => one.name === name);
  if (verb === undefined) return undefined;
  const own = typeof verb.options === "function" ? await verb.options() : verb.options;
  return { verb, specs: [...own, ...sharedOptions] };
}

function printHelp(argv: readonly string[], asked: Asked | undefined): void {
  const program = programFor(asked);
  if (argv.length === 0) return program.outputHelp();
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0 || error.code === "commander.help") return;
    throw new ConfigError(
      error.message.replace(/^error: /, ""),
      "contrapose --help lists all verbs",
    );
  }
}

/** Reads the command line; undefined where help was printed. Throws `ConfigError` naming every mistake in it. */
export async function readArguments(argv: readonly string[]): Promise<Picked | undefined> {
  const [first, second] = argv;
  const named = first === "help" ? second : first;
  const asked = await askedOf(named);
  if (asked === undefined && named !== undefined && !named.startsWith("-"))
    throw unknownVerb(named);
  if (asked === undefined || first === "help" || argv.includes("--help") || argv.includes("-h")) {
    printHelp(argv, asked);
    return undefined;
  }
  const { verb, specs } = asked;
  const { mistakes, ...given } = parseArguments(specs, verb.words ?? [], argv.slice(1));
  const hint = `contrapose ${verb.name} --help lists all options`;
  if (mistakes.length > 0) throw mistakesError(verb.name, mistakes, hint);
  return { ...asked, ...given };
}
