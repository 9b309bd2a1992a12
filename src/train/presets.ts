import type { ConfigTree } from "./config.ts";

/**
 * What a method changes in the defaults, as its paper has it where the paper's choice matters.
 * A config file and flags are laid over it.
 */
export const presets: Readonly<Record<string, ConfigTree>> = {
  simclr: { loss: { name: "infoNce", temperature: 0.2 }, head: { name: "mlp" } },
  moco: { loss: { name: "infoNce", temperature: 0.2 }, head: { name: "mlp" } },
  instDisc: { loss: { name: "infoNce", temperature: 0.07 }, head: { name: "linear" } },
};
