// Regions to search for: a box, an ellipse, an outline drawn by hand.

import { say } from "../dom.js";
import { boxBetween } from "../viewing/boxes.js";
import { areaOf, boxAround, ellipseIn, inside, simplified } from "./shapes.js";

/** As many as one search takes. */
const MOST_REGIONS = 16;
/** Points of an outline that are sent, at most; the server takes more. */
const MOST_POINTS = 128;

const isRegion = (region) => region !== null;

/** A region tool: `shaped(stroke)`, called as a stroke begins, gives what makes its region, null as long as it is none. */
function regionTool(tool, shaped) {
  return {
    ...tool,
    marks: true,
    begin(begun, toolbox) {
      const { viewer, adds } = begun;
      const before = viewer.regions;
      const kept = keptOf(before, adds || toolbox.isAdding);
      if (!kept) return null;
      const draw = shaped(begun);
      return {
        move: (stroke) => viewer.setRegions([...kept, draw(stroke)].filter(isRegion)),
        end: () => viewer.regions.length || viewer.setRegions(before),
        cancel: () => viewer.setRegions(before),
      };
    },
  };
}

const boxOf = ({ from, to, frame }) => boxBetween(from, to, frame.columns, frame.rows);

/** A fifth of the image, in its middle. */
export const middleBox = ({ columns, rows }) => ({ x: columns * 0.4, y: rows * 0.4, width: columns * 0.2, height: rows * 0.2 });

function placeRegion(viewer, { isAdding }, region) {
  const kept = keptOf(viewer.regions, isAdding);
  if (kept) viewer.setRegions([...kept, region]);
}

/** The regions that stay when another is drawn; null where no more can be added. */
function keptOf(regions, isAdding) {
  if (!isAdding) return [];
  if (regions.length < MOST_REGIONS) return regions;
  say(`A search takes ${MOST_REGIONS} regions: remove one first.`);
  return null;
}

const ellipseRegion = (around) => around && { box: around, outline: ellipseIn(around), shape: "ellipse" };

export const box = {
  ...regionTool({ name: "box", label: "Box", key: "b", hint: "Box to search for" }, () => (stroke) => {
    const drawn = boxOf(stroke);
    return drawn && { box: drawn };
  }),
  place: (viewer, toolbox) => placeRegion(viewer, toolbox, { box: middleBox(viewer.shown.frame) }),
};

export const ellipse = {
  ...regionTool({ name: "ellipse", label: "Ellipse", key: "e", hint: "Ellipse to search for" }, () => (stroke) => ellipseRegion(boxOf(stroke))),
  place: (viewer, toolbox) => placeRegion(viewer, toolbox, ellipseRegion(middleBox(viewer.shown.frame))),
};

export const freehand = regionTool({ name: "freehand", label: "Freehand", key: "f", hint: "Outline to search for, drawn by hand" }, (begun) => {
  const draw = drawing(begun);
  return (stroke) => {
    const outline = draw(stroke);
    return outline && { box: boxAround(outline), outline, shape: "outline" };
  };
});

/** What follows a stroke by hand: it returns the outline so far, null as long as it is none. */
export function drawing({ from }) {
  const trail = [[from.x, from.y]];
  return ({ to, frame }) => {
    trail.push([to.x, to.y]);
    return outlineOf(trail, frame);
  };
}

/** What a trail encloses, as few points; null where that is less than a pixel. */
function outlineOf(trail, { columns, rows }) {
  if (trail.length < 3) return null;
  const outline = inside(simplified(trail, 0.5, MOST_POINTS), columns, rows);
  const { width, height } = boxAround(outline);
  return width >= 1 && height >= 1 && areaOf(outline) >= 1 ? outline : null;
}
