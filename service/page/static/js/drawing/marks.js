// What is drawn over a picture: the regions of its own, the box of a hit in it, and, dashed, regions of another image.

const COLOURS = { query: "#ffb454", hit: "#5ccfff" };
const DASH = [5, 5];

/** A layer of the viewer: boxes. */
export function paintBoxes(context, viewer) {
  const own = viewer.regions;
  for (const { box } of own.length ? [] : elsewhere(viewer)) outline(context, viewer, box, COLOURS.query, DASH);
  if (viewer.found) outline(context, viewer, viewer.found, COLOURS.hit);
  for (const { box } of own) outline(context, viewer, box, COLOURS.query);
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

function outline(context, viewer, box, colour, dash = []) {
  const rectangle = viewer.placement.boxToCanvas(box);
  context.setLineDash([]);
  for (const [width, style] of [[3.5, "#000a"], [1.75, colour]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.strokeRect(...rectangle);
    context.setLineDash(dash);
  }
  context.setLineDash([]);
}
