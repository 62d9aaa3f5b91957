// Measures the way between two points.

import { measuringTool, placeMeasurement } from "./measuring.js";
import { middleBox } from "./region_tools.js";
import { inside } from "./shapes.js";

const LEAST_PIXELS = 0.5;

const isLong = ([[ax, ay], [bx, by]]) => Math.hypot(bx - ax, by - ay) >= LEAST_PIXELS;

const line = (points) => (isLong(points) ? { kind: "length", points } : null);

export const length = {
  ...measuringTool({ name: "length", label: "Length", key: "l", hint: "Measure a length" }, () => ({ from, to, frame }) =>
    line(inside([[from.x, from.y], [to.x, to.y]], frame.columns, frame.rows)),
  ),
  place(viewer, toolbox) {
    const { x, y, width, height } = middleBox(viewer.shown.frame);
    placeMeasurement(viewer, toolbox, line([[x, y + height / 2], [x + width, y + height / 2]]));
  },
};
