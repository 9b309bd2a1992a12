import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { l2Normalize } from "../../core/numerics.ts";
import { infoNce } from "../../losses/index.ts";
import { loocTerms } from "../../frameworks/index.ts";
import { defineAdapter, temperature, views } from "../adapter.ts";
import { differentiated } from "../machine.ts";

/** Leave-one-out: one embedding space and one queue for each augmentation, and one for all. */
export const looc = defineAdapter({
  params: z.object({ temperature, augmentations: z.int().min(0) }),
  inputs: z.object({ query: views, keys: z.array(views), queue: views }),
  run({ temperature: t, augmentations }, inputs, machine) {
    const spaces = Array.from({ length: augmentations + 1 }, (_, h) => h);
    const variables = { query: machine.reals(inputs.query, "query") };
    const constants = {
      keys: machine.reals(inputs.keys, "keys"),
      queue: machine.reals(inputs.queue, "queue"),
    };
    return differentiated(machine, variables, constants, (raw, given) => {
      const query = l2Normalize(raw.query); // [H, n, D]
      const keys = l2Normalize(given.keys); // [H, H, n, D]
      const queue = l2Normalize(given.queue); // [H, K, D]
      const [, n, d] = query.shape;
      const k = queue.shape[1];
      const one = (x: np.Array, h: number) => x.ref.slice([h, h + 1]); // [1, …]
      const similarities = spaces.map((h) => {
        const asked = one(query, h).reshape([n, d]); // [n, D]
        const own = keys.ref.slice([], [h, h + 1]).reshape([spaces.length, n, d]); // [V, n, D]
        const ownCosine = own.mul(asked.ref).sum(-1).transpose(); // [n, V]
        const stored = one(queue, h).reshape([k, d]); // [K, D]
        return np.concatenate([ownCosine, np.matmul(asked, stored.transpose())], 1); // [n, V + K]
      });
      const all = spaces.map(() => np.ones([n, k]).astype(query.dtype)); // [n, K]
      const spaceTerms = loocTerms(similarities, all, (similarity, pairs) =>
        infoNce(similarity, pairs, { temperature: t }),
      ); // [n, H]
      return { perAnchor: spaceTerms.ref.mean(-1), spaceTerms };
    });
  },
});
