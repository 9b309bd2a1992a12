import { describe, expect, test } from "vitest";

import { renderClusters, renderDuplicates, renderSearch } from "../index.ts";

const source = "data:image/png;base64,iVBORw0KGgo=";
const shown = (name: string) => ({ source, path: `a/${name}`, label: "shoe", similarity: 0.5 });

describe("pages of results", () => {
  const search = renderSearch({
    query: { source, path: "query<b>.jpg" },
    hits: [{ ...shown("1.jpg"), link: "../photos/a/1.jpg" }, { path: "gone.jpg" }],
    condition: "label = 'shoe'",
    facts: [{ name: "searched", value: "3 vectors in 1 ms" }],
  });

  test("hold what was found, and load nothing", () => {
    expect(search).toContain("<!doctype html>");
    expect(search).not.toMatch(/<script|src="http|href="http/);
    expect(search).toContain("2 nearest images, where label = &#39;shoe&#39;.");
    expect(search).toContain("query&lt;b&gt;.jpg");
    expect(search).toContain("0.500");
    expect(search).toContain('href="../photos/a/1.jpg"');
    expect(search).toContain("no picture");
  });

  test("link to places beside them only", () => {
    const page = (link: string) =>
      renderSearch({ query: shown("q"), hits: [{ ...shown("1"), link }], facts: [] });
    for (const link of ["javascript:alert(1)", "https://a.b", "//a.b"]) {
      expect(page(link)).not.toContain("href");
    }
  });

  test("say when there is nothing", () => {
    expect(renderSearch({ query: shown("q"), hits: [], facts: [] })).toContain(
      "No image fulfils the condition.",
    );
    const none = { set: "photos", lead: "", groups: [], more: 0, skipped: [], facts: [] };
    expect(renderDuplicates(none)).toContain("No two images are alike.");
  });

  test("show groups, the one to keep first, and files that could not be read", () => {
    const group = { title: "Group 1", note: "2 images", images: [shown("1"), shown("2")] };
    const page = renderDuplicates({
      set: "photos",
      lead: "1 image of 2 could go.",
      groups: [group],
      more: 3,
      skipped: [{ path: "b.jpg", reason: "damaged" }],
      facts: [],
    });
    expect(page).toContain('class="card first"');
    expect(page).toContain("3 further groups, not shown here.");
    expect(page).toContain("b.jpg");
    const clusters = renderClusters({ set: "photos", lead: "", clusters: [group], facts: [] });
    expect(clusters).toContain("Clusters");
    expect(clusters).not.toContain('class="card first"');
  });
});
