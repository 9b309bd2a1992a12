import { expect, test } from "vitest";

import { DataError } from "../../core/errors.ts";
import { markupOf } from "./html.ts";
import { picture } from "./thumbnail.ts";

test("an embedded picture is shown with its description", () => {
  const source = "data:image/png;base64,iVBORw0KGgo=";
  const markup = markupOf(picture({ source, path: 'a"b.png' }, "View 1"));
  expect(markup).toContain(`src="${source}"`);
  expect(markup).toContain('alt="View 1"');
  expect(markup).toContain('title="a&quot;b.png"');
});

test.each([
  "https://example.org/a.png",
  "images/a.png",
  "data:image/svg+xml;base64,PHN2Zz4=",
  "data:text/html;base64,PGI+",
  'data:image/png;base64,AAAA" onerror="alert(1)',
  "",
])("a picture that the page does not hold is refused, naming the file: %s", (source) => {
  const draw = () => picture({ source, path: "cat.png" }, "a cat");
  expect(draw).toThrow(DataError);
  expect(draw).toThrow(/cat\.png/);
});
