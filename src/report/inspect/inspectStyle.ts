/** What the page of recorded pairs needs beside the look of all pages. */
export const inspectStyle = `
:root { --wrong: #b3261e; --right: #2f7d32; }
@media screen and (prefers-color-scheme: dark) { :root { --wrong: #ff8a80; --right: #81c784; } }
.page { max-width: 76rem; }
.anchor { border-top: 1px solid var(--line); padding: 1.5rem 0; display: grid; grid-template-columns: 11rem 1fr; gap: 1.75rem; }
.anchor > * { min-width: 0; }
.anchor .who h3 { overflow-wrap: anywhere; margin-top: 0.6rem; }
.anchor .who p { font-size: 0.8125rem; color: var(--soft); }
.pair-list h4 { margin: 0 0 0.5rem; font-size: 0.875rem; font-weight: 600; }
.pair-list h4 small { margin-left: 0.4rem; }
.pair-list + .pair-list { margin-top: 1.25rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.4rem, 1fr)); gap: 0.7rem 0.6rem; }
.tile figcaption { font-size: 0.75rem; line-height: 1.35; margin-top: 0.3rem; overflow-wrap: anywhere; }
.tile figcaption b { font-weight: 600; }
.tile figcaption small { display: block; font-size: inherit; }
.frame { aspect-ratio: 1; background: var(--panel); border-radius: 3px; display: grid; place-items: center; position: relative; overflow: hidden; }
.photo { position: relative; background-size: 100% 100%; }
.photo.wide { width: 100%; } .photo.tall { height: 100%; }
.crop, .box { position: absolute; box-sizing: border-box; }
.crop { border: 2px solid #fff; box-shadow: 0 0 0 1px rgb(0 0 0 / 55%), inset 0 0 0 1px rgb(0 0 0 / 55%); }
.box { border: 2px dashed #ffd54f; box-shadow: 0 0 0 1px rgb(0 0 0 / 45%); }
.rendered { position: absolute; right: 3px; bottom: 3px; width: 38%; border: 1px solid #fff; border-radius: 2px; image-rendering: auto; }
.who .rendered { width: 34%; }
.mix { position: absolute; inset: 0; display: grid; }
.mix .photo { position: absolute; }
.mix > div { overflow: hidden; position: absolute; inset: 0; display: grid; place-items: center; background: var(--panel); }
.mix > div:last-child { clip-path: polygon(100% 0, 100% 100%, 0 100%); }
.mix > div:first-child { clip-path: polygon(0 0, 100% 0, 0 100%); }
.wrong .frame { outline: 3px solid var(--wrong); outline-offset: 1px; }
.right .frame { outline: 2px solid var(--right); outline-offset: 1px; }
.wrong .mark { color: var(--wrong); font-weight: 650; } .right .mark { color: var(--right); font-weight: 650; }
.reasons { border-collapse: collapse; font-size: 0.875rem; margin: 0.25rem 0 1.5rem; }
.reasons th, .reasons td { text-align: right; padding: 0.3rem 0 0.3rem 2rem; border-bottom: 1px solid var(--line); font-weight: 400; }
.reasons th:first-child { text-align: left; padding-left: 0; }
.reasons thead th { color: var(--soft); font-size: 0.8125rem; }
.step summary { font: 500 1.25rem/1.3 var(--serif); }
.step summary small { font-family: var(--sans); margin-left: 0.6rem; }
.step + .step { border-top: 0; }
.key { display: flex; flex-wrap: wrap; gap: 0.4rem 1.6rem; list-style: none; font-size: 0.8125rem; color: var(--soft); }
@media screen and (max-width: 44rem) { .anchor { grid-template-columns: 1fr; } .anchor .who { max-width: 11rem; } }
`;
