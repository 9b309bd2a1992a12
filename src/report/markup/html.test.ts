import fc from "fast-check";
import { expect, test } from "vitest";

import { escapeText, html, markupOf } from "./html.ts";

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
const decode = (text: string) =>
  text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name) => entities[name]);

test("escaped text holds no character that ends text or an attribute, and reads as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...`<>&"'ab =/é界;#`) }), (text) => {
      const escaped = escapeText(text);
      expect(escaped).not.toMatch(/[<>"']/);
      expect(decode(escaped)).toBe(text);
    }),
  );
});

test("control characters, reversing marks and broken halves of characters become visible", () => {
  expect(escapeText("a\u0000b\u202egpj.exe\ud800")).toBe("a\ufffdb\ufffdgpj.exe\ufffd");
  expect(escapeText("line\n\tnext 😀")).toBe("line\n\tnext 😀");
});

test("templates keep markup of templates, escape text and leave out what is absent", () => {
  const inner = html`<b>${"<i>"}</b>`;
  const parts = [inner, undefined, false as const, "x & y", 3];
  expect(markupOf(html`<p>${parts}</p>`)).toBe("<p><b>&lt;i&gt;</b>x &amp; y3</p>");
});

test("an object from a file cannot pass for markup", () => {
  const forged = JSON.parse('{"trusted markup":"<script>","markup":"<script>"}');
  expect(markupOf(html`${forged}${null as unknown as undefined}`)).not.toContain("<script>");
});
