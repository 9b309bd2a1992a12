import { z } from "zod";

/** Channels, numbers of a token, groups or heads of them, or a side in pixels: 1 to 65,536. */
export const Width = z.int().positive().max(65536);

/** How many images, rows, views or draws: 1 to a thousand million. */
export const Count = z.int().positive().max(1e9);

/** The same, or none. */
export const CountOrNone = z.int().min(0).max(1e9);

/** What divides similarities before their exponential. */
export const Temperature = z.number().min(1e-4).max(1e4);

/** What is added to a variance or a divisor so that it is never 0. */
export const Epsilon = z.number().min(1e-12).max(1);
