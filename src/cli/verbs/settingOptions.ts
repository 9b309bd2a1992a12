import type { Setting } from "../../config/settings.ts";
import type { OptionSpec } from "../verb.ts";

const MOST = 6; // names in a line of help

/** Names to choose from, unless the description says them. */
function namesOf({ path, description, schema }: Setting): string {
  const { enum: own, items } = schema as { enum?: string[]; items?: { enum?: string[] } };
  const names = own ?? items?.enum ?? [];
  if (names.every((name) => description.includes(name))) return "";
  if (names.length <= MOST) return `: ${names.join(", ")}`;
  return `, see contrapose list ${path === "loss" ? "losses" : path.replace(/s?$/, "s")}`;
}

/** What stands for a value in help. */
function valueName({ unit, schema: { type, enum: names } }: Setting): string {
  return unit ?? (names !== undefined ? "name" : type === "string" ? "text" : "number");
}

/** Options of a verb that reads a training config: every setting with a flag, a file, and `--set`. */
export async function settingOptions(...without: string[]): Promise<OptionSpec[]> {
  const { listSettings, usualOf } = await import("../../config/settings.ts");
  const flags = listSettings().flatMap((setting): OptionSpec[] => {
    const { flag, group, path, description } = setting;
    if (flag === undefined) return [];
    const usual = usualOf(setting);
    const describe = `${description}${namesOf(setting)}${usual && ` (${usual})`}`;
    return [{ group: `${group}:`, flags: `${flag} <${valueName(setting)}>`, path, describe }];
  });
  const all: OptionSpec[] = [
    ...flags,
    {
      group: "Run:",
      flags: "--config <file>",
      describe: "settings from a JSON or YAML file",
    },
    {
      group: "Run:",
      flags: "--set <path=value>",
      many: true,
      describe: "any setting, as views.jitter.hue=0.2; repeatable",
    },
  ];
  return all.filter(({ flags }) => !without.includes(flags.split(" ")[0]));
}
