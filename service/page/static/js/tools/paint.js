// Draws measurements, and the point whose value is told, over the picture.

import { strokePath, strokeText } from "../drawing/strokes.js";
import { linesOf } from "./measurements.js";

const COLOUR = "--accent";
const END_PX = 5;
const CROSS_PX = 9;

/** A layer of the viewer, for the measurements of the image on the screen. */
export const paintMeasurements = ({ measurements }) => (context, { placement, shown }) => {
  for (const measurement of measurements.of(shown.item)) {
    const path = measurement.points.map(([x, y]) => placement.toCanvas({ x, y }));
    const isLength = measurement.kind === "length";
    strokePath(context, path, COLOUR, { isClosed: !isLength });
    if (isLength) for (const end of path) strokeEnd(context, path, end);
    const right = path.reduce((best, point) => (point.x > best.x ? point : best));
    strokeText(context, linesOf(measurement, shown.frame), right.x + 8, right.y + 4, COLOUR);
  }
};

/** A bar across the end of a line. */
function strokeEnd(context, [a, b], { x, y }) {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const [across, down] = [(-(b.y - a.y) / length) * END_PX, ((b.x - a.x) / length) * END_PX];
  strokePath(context, [{ x: x - across, y: y - down }, { x: x + across, y: y + down }], COLOUR);
}

/** A layer for a point that was set down: a cross with a gap, so that its pixel is seen. */
export const paintPoint = ({ point }) => (context, { placement }) => {
  if (!point.isSet || !point.at) return;
  const { x, y } = placement.toCanvas(point.at);
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    const [from, to] = [3, CROSS_PX].map((way) => ({ x: x + dx * way, y: y + dy * way }));
    strokePath(context, [from, to], COLOUR);
  }
};
