// Hits as cards: picture with box, distance, and what each expert says.

import { imageUrl } from "../api.js";
import { byId, el, plural, svg } from "../dom.js";

export class Hits {
  #cards = [];
  #query = null;

  constructor(open) {
    this.open = open;
  }

  /** Show what was found for a query: a picture as it was on the screen, and its regions then. */
  show(answer, query, displayWindow) {
    this.#query = query;
    this.#cards = answer.hits.map((hit) => this.#card(hit, hit.series_uid === query.identity.series_uid));
    byId("hits").replaceChildren(...this.#cards.map(({ button, link }) => el("li", {}, button, ...link)));
    byId("hits").scrollTop = 0;
    const searched = plural(answer.searched_frames, "frame");
    const left = answer.unindexed_frames ? `, ${answer.unindexed_frames} not indexed under this model` : "";
    byId("hits-summary").textContent = `${searched} in ${Math.round(answer.took_ms)} ms, ${answer.mode}${left}`;
    byId("hits-empty").hidden = answer.hits.length > 0;
    byId("hits-empty").textContent = "Nothing to compare with: the archive holds no other frame that was asked for.";
    this.setWindow(displayWindow);
    this.compareWith(query);
  }

  /** Say whose hits these are, and whether that image is the one on the screen. */
  compareWith(shown) {
    if (!this.#query) return;
    const isOwn = shown?.item === this.#query.item;
    byId("hits-query").textContent = isOwn ? titleOf(this.#query) : `${titleOf(this.#query)}, not for the one on the screen`;
    byId("hits-query").classList.toggle("stale", !isOwn);
  }

  /** Draw every hit through the viewer's display window where its values are HU, so that they can be compared by eye. */
  setWindow(displayWindow) {
    for (const { hit, image } of this.#cards) {
      const window = displayWindow?.[2] === "HU" ? displayWindow : null;
      image.src = imageUrl(hit.sop_instance_uid, hit.frame_number, window);
    }
  }

  #card(hit, isOwnSeries) {
    const image = el("img", { alt: "", loading: "lazy", decoding: "async" });
    const where = [hit.modality, hit.body_part, isOwnSeries ? "this series" : null].filter(Boolean).join(" · ");
    const number = hit.instance_number === null ? "" : `image ${hit.instance_number}, `;
    const button = el(
      "button",
      {
        type: "button",
        className: "hit",
        "aria-label": `Hit ${hit.rank}: ${where}, ${number}frame ${hit.frame_number}, distance ${hit.distance} of ${hit.bits} bits`,
        onclick: () => this.#choose(hit),
      },
      el("figure", { className: "hit-image" }, image, outline(hit)),
      el(
        "span",
        { className: "hit-text" },
        el(
          "span",
          { className: "hit-head" },
          el("span", { className: "hit-rank", textContent: hit.rank }),
          el("span", { className: "hit-distance" }, distance(hit.distance), el("small", { textContent: ` / ${hit.bits} bits` })),
        ),
        el("span", { className: "hit-where", textContent: where, title: `Series ${hit.series_uid}` }),
        el("span", { className: "hit-where", textContent: `${number}frame ${hit.frame_number}` }),
        el("span", { className: "hit-where", textContent: size(hit.box_mm, hit.box) }),
        expert("local", hit.experts.local),
        expert("global", hit.experts.global),
      ),
    );
    return { hit, image, button, link: viewerLink(hit) };
  }

  /** The hit that is a frame, if it is among these. */
  find(sopInstanceUid, frameNumber) {
    const isIt = ({ hit }) => hit.sop_instance_uid === sopInstanceUid && hit.frame_number === frameNumber;
    return this.#cards.find(isIt)?.hit;
  }

  /** Mark the card of a hit as the one that is open. */
  mark(chosen) {
    for (const { hit, button } of this.#cards) button.setAttribute("aria-current", String(hit === chosen));
  }

  /** Take the hits away. */
  clear() {
    this.#query = null;
    this.#cards = [];
    byId("hits").replaceChildren();
    for (const id of ["hits-summary", "hits-query"]) byId(id).textContent = "";
    byId("hits-empty").textContent = "Hits appear here, nearest first.";
    byId("hits-empty").hidden = false;
  }

  #choose(hit) {
    this.mark(hit);
    this.open(hit);
  }
}

/** Say in words what was searched for. */
function titleOf({ stack, item, regions }) {
  const { series } = stack;
  const name = series ? [series.modality, series.body_part].filter(Boolean).join(" ") : item.identity.file.name;
  const what = regions.length ? plural(regions.length, "region") : "whole image";
  return `For image ${stack.indexOf(item) + 1} of ${name}, ${what}`;
}

/** A link to the hit in the viewer of its PACS, where there is one. */
function viewerLink({ viewer_url: href, rank }) {
  if (!href) return [];
  const name = `Hit ${rank} in the viewer of the PACS, in a new tab`;
  const props = { href, target: "_blank", rel: "noopener noreferrer", className: "viewer-link", "aria-label": name };
  return [el("a", { ...props, textContent: "Open in viewer ↗" })];
}

const distance = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1));

function outline(hit) {
  const { x, y, width, height } = hit.box;
  const view = { viewBox: `0 0 ${hit.columns} ${hit.rows}`, "aria-hidden": "true" };
  return svg("svg", view, svg("rect", { x, y, width, height }));
}

function size(mm, pixels) {
  const box = mm ?? pixels;
  return `box ${box.width.toFixed(0)} × ${box.height.toFixed(0)} ${mm ? "mm" : "px"}`;
}

function expert(name, { distance: bits, score }) {
  const known = score !== null;
  return el(
    "span",
    { className: "expert", title: known ? `${name} expert: ${distance(bits)} bits differ` : `${name} expert: no window` },
    el("span", { textContent: name }),
    el("meter", { min: 0, max: 1, value: known ? score : 0, "aria-label": `${name} score` }),
    el("output", { textContent: known ? score.toFixed(2) : "–" }),
  );
}
