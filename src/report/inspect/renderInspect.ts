import { counted, figure, grouped, percentage } from "../markup/figures.ts";
import { html, type Html, trustedMarkup } from "../markup/html.ts";
import { picture } from "../markup/thumbnail.ts";
import type {
  InspectData,
  PageAnchor,
  PageImage,
  PagePair,
  PageStep,
  ShareBox,
} from "./inspectData.ts";
import { renderPage } from "../page.ts";
import { section } from "../sections/section.ts";
import { inspectStyle } from "./inspectStyle.ts";

type Images = InspectData["images"];

/** One rule an image, so that a picture that is shown often is held once. */
function imageRules(images: Images): string {
  const rules = [...images].map(([id, { source }]) => {
    if (!/^data:image\/[a-z]+;base64,[A-Za-z0-9+/=]+$/.test(source)) {
      throw new TypeError(`renderInspect: image ${id} is no data URI`);
    }
    return `.i${id}{background-image:url(${source})}`;
  });
  return rules.join("\n");
}

const place = ({ left, top, width, height }: ShareBox): string =>
  `left:${(100 * left).toFixed(2)}%;top:${(100 * top).toFixed(2)}%;width:${(100 * width).toFixed(2)}%;height:${(100 * height).toFixed(2)}%`;

type Drawn = Pick<PagePair, "crop" | "box" | "rendered">;

function photo(id: number, image: PageImage, drawn: Drawn = {}): Html {
  const { aspect, path } = image;
  const shape = aspect >= 1 ? "wide" : "tall";
  return html`<div
    class="photo ${shape} i${id}"
    style="aspect-ratio: ${aspect.toFixed(4)}"
    role="img"
    aria-label="${path}"
    title="${path}"
  >
    ${drawn.box && html`<span class="box" style="${place(drawn.box)}"></span>`}
    ${drawn.crop && html`<span class="crop" style="${place(drawn.crop)}"></span>`}
  </div>`;
}

function frame(images: Images, id: number | null, drawn: Drawn): Html {
  const image = id === null ? undefined : images.get(id);
  const view =
    drawn.rendered === undefined
      ? undefined
      : html`<span class="rendered"
          >${picture({ source: drawn.rendered }, "the view itself")}</span
        >`;
  return html`<div class="frame">
    ${image === undefined || id === null ? html`<small>?</small>` : photo(id, image, drawn)}${view}
  </div>`;
}

/** Both parents of a mixture, divided along the diagonal. */
function mixture(images: Images, { first, second }: NonNullable<PagePair["parents"]>): Html {
  const half = (id: number | null) => {
    const image = id === null ? undefined : images.get(id);
    return html`<div>${image && id !== null && photo(id, image)}</div>`;
  };
  return html`<div class="frame"><div class="mix">${half(first)}${half(second)}</div></div>`;
}

const words: Record<string, string> = { wrong: "≠ ", right: "= " };

function tile(images: Images, pair: PagePair): Html {
  const { image, parents, similarity, weight, force, rank, reasons, verdict } = pair;
  const label = image === null ? undefined : images.get(image)?.label;
  const share = parents && `${percentage(parents.share, 0)} of the first`;
  const said = reasons.filter((reason) => reason !== "kept").join(", ");
  const strength = weight === 1 || weight === 0 ? undefined : `weight ${figure(weight)}`;
  return html`<figure class="tile ${verdict}">
    ${parents ? mixture(images, parents) : frame(images, image, pair)}
    <figcaption>
      ${verdict && html`<span class="mark" aria-hidden="true">${words[verdict]}</span>`}${label ?? share}
      <small title="cosine, and its rank among the candidates"
        >${grouped(similarity, 3)} · ${grouped(rank)}.</small
      >
      ${
        force !== 0 &&
        html`<small title="slope of the loss at the cosine"
          >${force < 0 ? "pull" : "push"} ${figure(Math.abs(force))}</small
        >`
      }
      ${strength && html`<small>${strength}</small>`}
      ${said !== "" && html`<small><b>${said}</b></small>`}
    </figcaption>
  </figure>`;
}

function list(
  images: Images,
  title: string,
  pairs: readonly PagePair[],
  count: number,
): Html | undefined {
  if (pairs.length === 0) return undefined;
  const shown =
    pairs.length < count ? `${grouped(pairs.length)} of ${grouped(count)}` : grouped(count);
  return html`<div class="pair-list">
    <h4>${title}<small>${shown}</small></h4>
    <div class="tiles">${pairs.map((pair) => tile(images, pair))}</div>
  </div>`;
}

function anchorPart(images: Images, anchor: PageAnchor): Html {
  const image = images.get(anchor.image);
  const { counts } = anchor;
  return html`<article class="anchor">
    <div class="who">
      ${frame(images, anchor.image, anchor)}
      <h3>${image?.path ?? `image ${anchor.image}`}</h3>
      <p>${image?.label}</p>
      <p>
        ${anchor.space && `${anchor.space}, `}view ${anchor.view}, loss ${grouped(anchor.loss, 3)}
      </p>
      <p>
        ${counted(anchor.candidates, "candidate")}${
          anchor.leftOut > 0 && `, the ${grouped(anchor.leftOut)} of least force not written down`
        }
      </p>
    </div>
    <div>
      ${list(images, "Pulled towards", anchor.positives, counts.positives)}
      ${list(images, "Pushed from, strongest first", anchor.negatives, counts.negatives)}
      ${list(images, "Pushed from mixtures of", anchor.mixtures, counts.mixtures)}
      ${list(images, "Taken out of the loss, most similar first", anchor.changed, counts.changed)}
    </div>
  </article>`;
}

function reasonTable({ reasons }: PageStep, labelled: boolean): Html {
  const wrong = (judged: number, count: number) =>
    judged === 0 ? "" : `${percentage(count / judged)}`;
  return html`<table class="reasons">
    <thead>
      <tr>
        <th>what happened</th>
        <th>pairs</th>
        ${labelled && html`<th>on the wrong side, by label</th>`}
      </tr>
    </thead>
    <tbody>
      ${reasons.map(
        ({ reason, pairs, judged, wrong: count }) =>
          html`<tr>
            <th>${reason}</th>
            <td>${grouped(pairs)}</td>
            ${labelled && html`<td>${wrong(judged, count)}</td>`}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function stepPart({ images, labelled }: InspectData, step: PageStep, open: boolean): Html {
  return html`<details class="step" ${open && trustedMarkup("open")}>
    <summary>
      Step ${grouped(step.step)}<small
        >epoch ${grouped(step.epoch + 1)}, ${counted(step.anchors.length, "anchor")}</small
      >
    </summary>
    ${reasonTable(step, labelled)} ${step.anchors.map((anchor) => anchorPart(images, anchor))}
  </details>`;
}

/** Recorded pairs as one HTML file that needs nothing else. Pure: the same data, the same page. */
export function renderInspect(data: InspectData): string {
  const { steps, labelled } = data;
  const header = html`<header>
    <p class="kind">What was sampled</p>
    <h1>${data.run}</h1>
    <p class="lead">${data.method}</p>
  </header>`;
  const body = html`<ul class="key">
      <li>solid frame: the crop that was encoded</li>
      ${steps.some(hasBoxes) && html`<li>dashed frame: the box within which crops are drawn</li>`}
      ${
        labelled &&
        html`<li>red, ≠: on the wrong side by label; green, =: a sampler chose rightly</li>`
      }
    </ul>
    ${steps.toReversed().map((step, i) => stepPart(data, step, i === 0))}`;
  return renderPage({
    title: `${data.run} – pairs`,
    header,
    sections: [section("pairs", "Anchors and their candidates", INTRO, body)],
    numbers: "the run's folder pairs",
    styles: `${inspectStyle}\n${imageRules(data.images)}`,
  });
}

const INTRO =
  "As the loss had them at each recorded step, the latest first. Under a picture stand the cosine with the anchor and its rank among the candidates; pull and push are the slope of the anchor's loss at that cosine.";

const hasBoxes = ({ anchors }: PageStep): boolean => anchors.some(({ box }) => box !== undefined);
