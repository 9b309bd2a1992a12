/** Where the page is: every view has an address, so that back, reload and links work. */
const read = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const route = $state({ at: read() });

addEventListener("popstate", () => (route.at = read()));

/** Goes to an address of the page; `replace` leaves no step for the back button. */
export function go(address: string, { replace = false } = {}): void {
  if (address === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  const moved = new URL(address, location.href).pathname !== route.at.path;
  route.at = read();
  if (moved) {
    scrollTo(0, 0);
    requestAnimationFrame(() => document.querySelector<HTMLElement>("h1")?.focus());
  }
}

/** The address of this view with some of its query changed; undefined takes a part out. */
export function withQuery(changes: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams(route.at.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString();
  return route.at.path + (text === "" ? "" : `?${text}`);
}

/** Follows links within the page without loading it anew. */
export function followLinks(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (link === null || !plain || link.target !== "" || link.origin !== location.origin) return;
  if (link.hasAttribute("download") || link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
