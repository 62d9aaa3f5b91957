// What is cut out of two images so that they can be compared: the same length in mm beside one another.

import { el, svg } from "../dom.js";

/** How much of the surroundings is shown: the side of the cut by that of the place. */
const MARGIN = 1.8;

/** mm between rows, between columns of a hit's image; null where unknown. */
export function spacingOf({ box, box_mm }) {
  if (!box_mm || !box.width || !box.height) return null;
  return [box_mm.height / box.height, box_mm.width / box.width];
}

const whole = ({ rows, columns }) => ({ x: 0, y: 0, width: columns, height: rows });

/**
 * Return what is shown of a query and of a hit, as boxes in pixels of each, and the side of both in mm.
 *
 * Each is {rows, columns, spacing, box}; a box is null for the whole image. Where a spacing is unknown, the two cannot
 * be at equal millimetres: each fills its own square, and the side is null.
 */
export function cuts(query, hit, { isWhole = false } = {}) {
  const images = [query, hit].map((image) => {
    const isAll = isWhole || !query.box || !image.box;
    return { place: isAll ? whole(image) : image.box, margin: isAll ? 1 : MARGIN, spacing: image.spacing };
  });
  const areKnown = images.every(({ spacing }) => spacing);
  const sides = images.map(({ place, margin, spacing }) => {
    const [down, across] = spacing ?? [1, 1];
    return margin * Math.max(place.height * down, place.width * across);
  });
  const side = areKnown ? Math.max(...sides) : null;
  const [ofQuery, ofHit] = images.map(({ place, spacing }, at) => square(place, spacing ?? [1, 1], side ?? sides[at]));
  return { query: ofQuery, hit: ofHit, side };
}

/** The square of a side in mm around the middle of a box, in pixels. */
function square({ x, y, width, height }, [down, across], side) {
  const cut = { width: side / across, height: side / down };
  return { x: x + (width - cut.width) / 2, y: y + (height - cut.height) / 2, ...cut };
}

/** Lay a whole image so that a cut of it fills its frame; `sheet` holds what is as large as the image. */
export function place(sheet, cut, { rows, columns }) {
  const percent = (length, all) => `${(length / all) * 100}%`;
  Object.assign(sheet.style, {
    left: percent(-cut.x, cut.width),
    top: percent(-cut.y, cut.height),
    width: percent(columns, cut.width),
    height: percent(rows, cut.height),
  });
}

/** A sheet with boxes outlined on it, over what it shows. */
export function sheetOf({ rows, columns }, boxes, ...children) {
  const view = { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", "aria-hidden": "true" };
  const rects = boxes.map(({ x, y, width, height }) => svg("rect", { x, y, width, height }));
  return el("span", { className: "sheet" }, ...children, svg("svg", view, ...rects));
}
