// The place of a hit in its series: the slices that show the same, how near each is, and a way to scroll through them.

import { el, svg } from "../dom.js";
import { bits } from "./facts.js";

const BAR = { width: 4, gap: 1, height: 24 };

/** Say where a place is: its first and last image, and how large it is. */
export function placeText({ first, last, frames, extent }) {
  const numbers = [first, last].map((end) => end.instance_number ?? "?");
  const images = frames === 1 ? `image ${numbers[0]}` : `images ${numbers.join("–")}`;
  const lengths = [extent.width_mm, extent.height_mm, extent.depth_mm];
  const size = lengths.every((length) => length !== null) ? `${lengths.map((mm) => mm.toFixed(0)).join(" × ")} mm` : "size in mm unknown";
  return `${images} · ${size}`;
}

/** The index in a series of the image that lies a share of the way from a place's first to its last. */
export const indexIn = (first, last, share) => Math.round(first + share * (last - first));

/**
 * Show a place; `scroll(share)` is called with how far a reader went from its first image (0) to its last (1).
 */
export function placeOf(hit, scroll) {
  const { place } = hit;
  const text = el("span", { textContent: placeText(place) });
  if (place.frames === 1) return el("div", { className: "place" }, text);
  const input = el("input", {
    type: "range",
    min: 0,
    max: place.frames - 1,
    value: place.distances.indexOf(Math.min(...place.distances)),
    "aria-label": `Scroll through the place of hit ${hit.rank}`,
    oninput: () => scroll(input.valueAsNumber / (place.frames - 1)),
  });
  return el("div", { className: "place" }, text, profile(place, hit.bits), input);
}

/** Bars, the higher the nearer. */
function profile({ distances }, length) {
  const width = distances.length * (BAR.width + BAR.gap);
  const bars = distances.map((distance, at) => {
    const height = Math.max(1, BAR.height * (1 - distance / (length / 2)));
    return svg("rect", { x: at * (BAR.width + BAR.gap), y: BAR.height - height, width: BAR.width, height });
  });
  const label = `Distances from the first image to the last: ${distances.map(bits).join(", ")} bits`;
  const view = { viewBox: `0 0 ${width} ${BAR.height}`, preserveAspectRatio: "none", role: "img", "aria-label": label };
  return svg("svg", { class: "profile", ...view }, ...bars);
}
