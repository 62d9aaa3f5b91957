// The parts of a card that only tell: words, bars, a link.

import { el } from "../dom.js";
import { bits, howOf, sizeOf, whichOf, whoseOf } from "./facts.js";

/** What is known of a hit, a line each. */
export function lines(hit, where, boxes) {
  const texts = [where, hit.series_description, whoseOf(hit), howOf(hit), whichOf(hit, boxes)];
  return texts
    .filter(Boolean)
    .map((textContent, at) => el("span", { className: "hit-where", textContent, title: at ? textContent : `Series ${hit.series_uid}` }));
}

/** A bar as long as the distance: unrelated images differ in about half of the bits. */
export function distanceBar({ distance, bits: length }) {
  const title = `Distance: the shorter, the nearer; unrelated images are about ${length / 2} bits apart`;
  return el("meter", { className: "distance-bar", min: 0, max: length / 2, value: distance, title, "aria-label": "Distance" });
}

/** A link to the hit in the viewer of its PACS, where there is one. */
export function viewerLink({ viewer_url: href, rank }) {
  if (!href) return [];
  const name = `Hit ${rank} in the viewer of the PACS, in a new tab`;
  const props = { href, target: "_blank", rel: "noopener noreferrer", className: "viewer-link", "aria-label": name };
  return [el("a", { ...props, textContent: "Open in viewer ↗" })];
}

/** What one expert says of a hit: its score as a bar, the longer, the nearer. */
export function expert(name, { distance, score }) {
  const known = score !== null;
  const title = known ? `${name} expert: ${bits(distance)} bits differ` : `${name} expert: no window`;
  return el(
    "span",
    { className: "expert", title },
    el("span", { textContent: name }),
    el("meter", { min: 0, max: 1, value: known ? score : 0, "aria-label": `${name} score` }),
    el("output", { textContent: known ? score.toFixed(2) : "–" }),
  );
}
