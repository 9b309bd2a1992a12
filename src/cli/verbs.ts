import type { Verb } from "./verb.ts";
import { bench } from "./verbs/bench.ts";
import { cluster } from "./verbs/cluster.ts";
import { compare } from "./verbs/compare.ts";
import { conformance } from "./verbs/conformance.ts";
import { dedupe } from "./verbs/dedupe.ts";
import { doctor } from "./verbs/doctor.ts";
import { embed } from "./verbs/embed.ts";
import { evaluate } from "./verbs/evaluate.ts";
import { exportVerb } from "./verbs/export.ts";
import { indexVerb } from "./verbs/indexVerb.ts";
import { inspect } from "./verbs/inspect.ts";
import { list } from "./verbs/list.ts";
import { outliers } from "./verbs/outliers.ts";
import { pack } from "./verbs/pack.ts";
import { preview } from "./verbs/preview.ts";
import { quickstart } from "./verbs/quickstart.ts";
import { report } from "./verbs/report.ts";
import { sample } from "./verbs/sample.ts";
import { search } from "./verbs/search.ts";
import { studio } from "./verbs/studio.ts";
import { suggestLabels } from "./verbs/suggestLabels.ts";
import { train } from "./verbs/train.ts";

/** Every verb, in the order of help. */
export const verbs: readonly Verb[] = [
  quickstart,
  sample,
  pack,
  preview,
  train,
  evaluate,
  compare,
  embed,
  indexVerb,
  search,
  dedupe,
  cluster,
  outliers,
  suggestLabels,
  exportVerb,
  studio,
  report,
  inspect,
  doctor,
  conformance,
  bench,
  list,
];
