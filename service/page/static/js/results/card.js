// A hit as a card: its place beside the query's at equal millimetres, how near it is, what it is, and what can be done.

import { imageUrl } from "../api.js";
import { el } from "../dom.js";
import { distanceBar, expert, lines, viewerLink } from "./card_parts.js";
import { cuts, place, sheetOf, spacingOf } from "./crop.js";
import { bits, whereOf } from "./facts.js";
import { placeOf } from "./place.js";
import { QueryCut } from "./query_cut.js";

const VERDICTS = { relevant: "relevant", not_relevant: "not-relevant" };

export class Card {
  #image;
  #sheets;
  #cut = new QueryCut();
  #isWhole = false;
  #isNear = false;
  #picture = null;
  #address = "";

  /** `query` is what was searched for; `acts` has what a reader can do: choose, judge, like, scroll. */
  constructor(hit, query, acts) {
    Object.assign(this, { hit, query, acts });
    this.#image = el("img", { alt: "", decoding: "async" });
    this.#sheets = {
      query: sheetOf(query.frame, query.regions.map(({ box }) => box)),
      hit: sheetOf(hit, this.boxes, this.#image),
    };
    this.scale = el("span", { className: "hit-scale" });
    this.button = this.#button(this.#cut.canvas);
    this.what = el("div", { className: "hit-label" });
    this.element = el("li", { className: "hit-card" }, this.button, this.what, ...this.#place(), this.#tools());
    this.setVerdict(null);
    this.explain(null);
    this.#lay();
  }

  /** Where the query's regions were found; of a whole image, no place is. */
  get boxes() {
    const { hit, query } = this;
    if (!query.regions.length) return [];
    return hit.regions.length ? hit.regions.map(({ box }) => box) : [hit.box];
  }

  /** Draw the hit through a display window where its values are HU, else through its own. */
  setWindow(displayWindow) {
    const used = displayWindow?.[2] === "HU" ? displayWindow : null;
    const address = imageUrl(this.hit, used);
    if (address === this.#address) return;
    this.#address = address;
    if (this.#isNear) this.#image.src = address;
  }

  /** Draw the query's cut of its picture. */
  paint(picture) {
    this.#picture = picture;
    this.#cut.show(picture, this.cuts().query);
  }

  /** Be near the screen: have pictures, as large as they are shown. */
  come() {
    if (!this.#isNear) this.#image.src = this.#address;
    this.#isNear = true;
    this.#cut.fit();
  }

  /** Be far off: hold none. */
  go() {
    this.#isNear = false;
    this.#image.removeAttribute("src");
    this.#cut.letGo();
  }

  /** What of both images is shown. */
  cuts(isWhole = this.#isWhole) {
    const { query, hit } = this;
    const { rows, columns, spacing } = query.frame;
    const box = query.regions[0]?.box ?? null;
    return cuts({ rows, columns, spacing, box }, { ...hit, spacing: spacingOf(hit), box: box && hit.box }, { isWhole });
  }

  /** Show the whole images, or the places again. */
  toggleWhole() {
    this.#isWhole = !this.#isWhole;
    this.wholeButton.setAttribute("aria-pressed", String(this.#isWhole));
    this.#lay();
    if (this.#picture) this.paint(this.#picture);
  }

  setVerdict(verdict) {
    for (const [name, button] of Object.entries(this.judging)) button.setAttribute("aria-pressed", String(name === verdict));
    this.element.dataset.verdict = verdict ?? "";
  }

  /** Say what the site says of the hit's label. */
  explain(note) {
    const { label } = this.hit;
    this.what.hidden = label === null;
    const differential = note?.differential.length ? `Looks like it: ${note.differential.join(", ")}` : "";
    const texts = [differential, note?.note].filter(Boolean);
    this.what.replaceChildren(
      el("strong", { textContent: note?.name ?? label ?? "", title: `Label: ${label}` }),
      ...texts.map((textContent) => el("p", { textContent })),
    );
  }

  #lay() {
    const { query, hit, side } = this.cuts();
    place(this.#sheets.query, query, this.query.frame);
    place(this.#sheets.hit, hit, this.hit);
    this.scale.textContent = side === null ? "not to scale (size in mm unknown)" : `${side.toFixed(0)} mm across`;
  }

  #button(canvas) {
    const { hit, query } = this;
    const where = whereOf(hit, hit.series_uid === query.identity.series_uid);
    return el(
      "button",
      {
        type: "button",
        className: "hit",
        onclick: () => this.acts.choose(this),
      },
      el(
        "span",
        { className: "hit-head" },
        el("span", { className: "hit-rank", textContent: hit.rank }),
        distanceBar(hit),
        el("span", { className: "hit-distance" }, bits(hit.distance), el("small", { textContent: ` / ${hit.bits} bits` })),
      ),
      el(
        "span",
        { className: "hit-pair" },
        el("span", { className: "crop of-query", title: "The query" }, canvas, this.#sheets.query),
        el("span", { className: "crop hit-image", title: "The hit, at the same scale" }, this.#sheets.hit),
      ),
      el(
        "span",
        { className: "hit-text" },
        this.scale,
        ...lines(hit, where, this.boxes),
        el("span", { className: "experts" }, expert("local", hit.experts.local), expert("global", hit.experts.global)),
      ),
    );
  }

  #place() {
    return this.hit.place ? [placeOf(this.hit, (share) => this.acts.scroll(this.hit, share))] : [];
  }

  #tools() {
    const { hit, acts } = this;
    const tool = (className, textContent, name, onclick) =>
      el("button", { type: "button", className, textContent, title: name, "aria-label": `${name}: hit ${hit.rank}`, onclick });
    this.judging = {
      relevant: tool(VERDICTS.relevant, "✓", "Relevant, search for more of it (R)", () => acts.judge(hit, "relevant")),
      not_relevant: tool(VERDICTS.not_relevant, "✗", "Not relevant (N)", () => acts.judge(hit, "not_relevant")),
    };
    this.wholeButton = tool("whole", "Whole image", "Whole image (W)", () => this.toggleWhole());
    this.wholeButton.setAttribute("aria-pressed", "false");
    const like = tool("like", "More like this", "More like this (M)", () => acts.like(hit));
    return el("div", { className: "hit-tools" }, ...Object.values(this.judging), this.wholeButton, like, ...viewerLink(hit));
  }
}
