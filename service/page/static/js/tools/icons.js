// Icons of tools and commands: lines in a square of 16 points.

import { svg } from "../dom.js";

const PATHS = {
  box: "M2.5 3.5h11v9h-11z",
  ellipse: "M14 8c0 2.5-2.7 4.5-6 4.5S2 10.5 2 8s2.7-4.5 6-4.5S14 5.5 14 8z",
  freehand: "M3 11C1 6 5 2 8 4s6-1 6 3-3 6-6 5-4 2-5-1z",
  scroll: "M8 2v12M5 5l3-3 3 3M5 11l3 3 3-3",
  window: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM8 2v12M8 5h4.5M8 8h6M8 11h4.5",
  pan: "M8 1.5v13M1.5 8h13M6 3.5l2-2 2 2M6 12.5l2 2 2-2M3.5 6l-2 2 2 2M12.5 6l2 2-2 2",
  zoom: "M11 6.5a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10 10l4 4M4.5 6.5h4M6.5 4.5v4",
  length: "M2 14L14 2M1 11l4 4M11 1l4 4M5 9l2 2M8 6l2 2",
  area: "M14 8c0 2.5-2.7 4.5-6 4.5S2 10.5 2 8s2.7-4.5 6-4.5S14 5.5 14 8zM5 10l6-4M4 8l4-3M8 11l4-3",
  outline: "M3 11C1 6 5 2 8 4s6-1 6 3-3 6-6 5-4 2-5-1zM5 9l5-4M7 11l5-4",
  probe: "M8 1.5v4M8 10.5v4M1.5 8h4M10.5 8h4M8 8h.01",
  undo: "M6 3L2.5 6.5 6 10M3 6.5h6.5a4 4 0 0 1 0 7H7",
  redo: "M10 3l3.5 3.5L10 10M13 6.5H6.5a4 4 0 0 0 0 7H9",
  add: "M2.5 2.5h7v7h-7zM12 9v6M9 12h6",
  invert: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM8 2v12M8 4a4 4 0 0 1 0 8M8 6.5a1.5 1.5 0 0 1 0 3",
  flip: "M8 1.5v13M6 4L2 12h4zM10 4l4 8h-4z",
  rotate: "M13 8a5 5 0 1 1-2-4M11 1v3.5H7.5",
  reset: "M2 6V2h4M14 6V2h-4M2 10v4h4M14 10v4h-4",
  cine: "M4 2.5l9 5.5-9 5.5z",
};

export const icon = (name) =>
  svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true", focusable: "false" }, svg("path", { d: PATHS[name] }));
