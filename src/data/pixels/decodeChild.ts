import { ContraposeError } from "../../core/errors.ts";
import { decodeBytes } from "./decodeBytes.ts";
import type { DecodeJob, DecodeReply } from "./decodeApart.ts";
import { messageOf } from "../sources/source.ts";

// The process in which decodeApart.ts has images decoded, so that it can be ended at any time.

const reply = (message: DecodeReply) => process.send!(message);

process.on("message", ({ bytes, settings }: DecodeJob) => {
  decodeBytes(bytes, settings).then(
    (decoded) => reply({ decoded }),
    (error: unknown) => {
      reply({ failed: messageOf(error), plain: error instanceof ContraposeError });
    },
  );
});
process.on("SIGINT", () => undefined); // Ctrl-C is for the process that asks
// an orderly exit would wait for the decoder
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
reply({ ready: true });
