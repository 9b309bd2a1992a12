import { examineRun } from "../../train/index.ts";
import { count, leftColumns } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { valueReader } from "../common/values.ts";

/** Says whether a run is healthy. */
export async function runDoctor(call: Call): Promise<Answer> {
  const values = valueReader("doctor", call.options);
  const step = values.number("step", { whole: true, least: 0 });
  values.check();
  const [path] = call.words;
  const { verdict, finding, sentence, evidence, change, ...seen } = await examineRun(path, {
    upTo: step,
  });
  const { colours } = call.printer;
  const say = (text?: string) => call.printer.say(text);
  const paint = { healthy: colours.green, watch: colours.yellow, broken: colours.red }[verdict];
  say(`${paint(verdict)}${finding === verdict ? "" : `, ${finding}`}`);
  say(sentence);
  say();
  const rows = evidence.map(({ name, value, expected }) => [
    `  ${name}`,
    Number(value.toPrecision(4)).toString(),
    `expected ${expected}`,
  ]);
  if (rows.length > 0) leftColumns(rows).forEach((line) => say(line));
  if (change !== undefined) say(`\nchange     ${change}`);
  say(`\nsteps      ${count(seen.steps)} of ${count(seen.totalSteps)}`);
  if (seen.hint !== undefined) say(`note       ${seen.hint}`);
  return { run: path, verdict, finding, sentence, evidence, change: change ?? null, ...seen };
}
