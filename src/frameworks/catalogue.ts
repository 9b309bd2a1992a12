import { instDisc } from "./instDisc.ts";
import { looc } from "./looc.ts";
import { moco } from "./moco.ts";
import { nnclr } from "./nnclr.ts";
import { simclr } from "./simclr.ts";

/** Every framework, by the name used in configs, on the command line and in the docs. */
export const frameworks = { simclr, moco, instDisc, looc, nnclr };
