// What is drawn over a picture: the regions of its own, the box of a hit in it, and, dashed, regions of another image.

import { strokePath, strokeText } from "./strokes.js";

const DASH = [5, 5];

/** A layer of the viewer: regions. */
export function paintRegions(context, viewer) {
  const own = viewer.regions;
  for (const region of own.length ? [] : elsewhere(viewer)) outline(context, viewer, region, "--query", DASH);
  if (viewer.found) outline(context, viewer, { box: viewer.found }, "--hit");
  own.forEach((region, index) => {
    outline(context, viewer, region, "--query");
    if (own.length > 1) number(context, viewer, region, index + 1);
  });
}

/** The marked item of the stack that lies nearest to the one on the screen. */
export function nearestMarked({ marked, shown }) {
  const distance = (item) => Math.abs(shown.stack.indexOf(item) - shown.index);
  return marked.reduce((best, item) => (best && distance(best) <= distance(item) ? best : item), null);
}

function elsewhere(viewer) {
  const item = nearestMarked(viewer);
  return item ? viewer.regionsOf(item) : [];
}

const corners = ({ x, y, width, height }) => [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];

function outline(context, { placement }, { box, outline: points }, colour, dash = []) {
  const path = (points ?? corners(box)).map(([x, y]) => placement.toCanvas({ x, y }));
  strokePath(context, path, colour, { dash, isClosed: true });
}

function number(context, { placement }, { box }, text) {
  const [x, y] = placement.boxToCanvas(box);
  strokeText(context, [String(text)], x + 4, y + 14, "--query");
}
