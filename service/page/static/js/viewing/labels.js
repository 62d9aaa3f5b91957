// The words beside the picture: which image it is, through which window, and what is marked on it.

import { nearestMarked } from "../drawing/marks.js";
import { byId } from "../dom.js";
import { describeBox } from "./boxes.js";

/** The elements beside a viewer's picture; `prefix` tells those of a further viewer. */
export const labelsOf = (prefix = "") =>
  Object.fromEntries(["frame", "window", "box"].map((name) => [name, byId(`${prefix}${name}-text`)]));

/** Write what is on a viewer's screen into elements beside it. */
export function label(viewer, labels = labelsOf()) {
  const { shown } = viewer;
  labels.frame.textContent = shown ? `Image ${shown.index + 1} of ${shown.count}` : "";
  labels.window.textContent = shown?.frame ? windowText(viewer) : "";
  labels.box.textContent = shown?.frame ? boxText(viewer) : "";
  const identity = shown?.frame ? shown.identity : {};
  Object.assign(viewer.canvas.dataset, {
    collection: identity.collection ?? "",
    series: identity.series_uid ?? "",
    instance: identity.sop_instance_uid ?? identity.file?.name ?? "",
    frame: identity.frame_number ?? "",
    window: shown?.window?.join(",") ?? "",
  });
}

/** Say which image is on its way, for how ever short a time. */
export function labelLoading(viewer, element = byId("loading")) {
  const { wish, stack } = viewer;
  const text = viewer.isWaiting ? `Loading image ${stack.indexOf(wish) + 1}…` : "";
  element.textContent = text;
  element.hidden = !text;
}

function windowText({ shown, shownWindow }) {
  if (shown.frame.coloured) return "Colours of the file";
  const [centre, width] = shownWindow.map(Math.round);
  const unit = { HU: "HU", presentation: "%" }[shown.frame.units] ?? "";
  return `Centre ${centre}, width ${width} ${unit}`.trim();
}

function boxText(viewer) {
  const { shown, regions } = viewer;
  if (regions.length > 1) return `${regions.length} regions, searched for together`;
  if (regions.length) return describeRegion(regions[0], shown.frame.spacing);
  const marked = nearestMarked(viewer);
  return marked ? `The ${nameOf(viewer.regionsOf(marked))} on image ${shown.stack.indexOf(marked) + 1} (G goes there)` : "";
}

const nameOf = ([{ shape = "box" }, ...others]) => (others.length ? "regions are" : `${shape} is`);

/** Say what a region is and how large the box around it is. */
export function describeRegion({ box, shape }, spacing) {
  const size = describeBox(box, spacing);
  return shape ? `${shape[0].toUpperCase()}${shape.slice(1)} ${size}` : size;
}
