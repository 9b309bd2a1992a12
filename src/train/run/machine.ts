import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";

import { VERSION } from "../../core/version.ts";

/** What ran a training: versions and machine, for config.json. */
export function describeMachine() {
  return {
    contrapose: VERSION,
    node: process.version,
    system: `${platform()} ${arch()}`,
    processor: cpus().at(0)?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
  };
}
