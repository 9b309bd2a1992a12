/** Entries of catalogues that a run's config.json names: `losses/infoNce`, `sampling/ring`, … */
export function partsOf(config: Record<string, unknown>): string[];
/** What figures are about: what runs come to, or what the doctor says of them. */
export type Subject = "runs" | "doctor";
/** Files of src on which figures of a run with these parts depend. */
export function filesOf(parts: readonly string[], subject?: Subject): string[];
/** A hash of the code that figures of a run with these parts depend on. */
export function codeOf(parts: readonly string[], subject?: Subject): string;
/** How a record of bench/results stands to the code as it is. */
export function standing(
  record: { code?: string; parts?: readonly string[] },
  subject?: Subject,
): "current" | "other" | "unknown";
