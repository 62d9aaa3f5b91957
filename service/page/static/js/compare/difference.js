// The place that was searched for, the one beside it, and their difference, drawn under the two pictures.

import { byId } from "../dom.js";
import { shadesOf } from "../pixels/shades.js";
import { differenceOf, patchOf, placeOf, SIDE } from "./patches.js";

/** Draw the places of two viewers, and say how far they differ. */
export function drawDifference(main, beside) {
  const shown = [main, beside].map(shownPlace);
  const isDrawn = shown.every(Boolean);
  byId("difference-view").hidden = !isDrawn;
  if (!isDrawn) return;
  const size = Math.max(...shown.map(({ place }) => place.size));
  const patches = shown.map(({ frame, shades, place }) => patchOf(frame, shades, place, size));
  const { patch, mean } = differenceOf(...patches);
  ["difference-own", "difference-beside", "difference"].forEach((id, i) => draw(byId(id), [...patches, patch][i]));
  byId("difference-text").textContent = said(mean, size, shown.every(({ frame }) => frame.spacing));
}

function shownPlace({ shown, found, regions }) {
  if (!shown?.frame) return null;
  const { frame, window } = shown;
  return { frame, shades: shadesOf(frame, window), place: placeOf(frame, regions[0]?.box ?? found) };
}

function draw(canvas, patch) {
  const image = new ImageData(SIDE, SIDE);
  patch.forEach((grey, i) => image.data.set([grey, grey, grey, grey < 0 ? 0 : 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function said(mean, size, isInMm) {
  if (mean === null) return "The two places do not overlap.";
  const side = `${size.toFixed(0)} × ${size.toFixed(0)} ${isInMm ? "mm" : "px"}`;
  return `Mean difference ${(100 * mean).toFixed(1)} % of the greys, over ${side}.`;
}
