/** The page docs/catalogue.md. */
export function renderCatalogue(catalogue: Record<string, unknown>): string;
