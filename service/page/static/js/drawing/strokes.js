// Lines and words over a picture: a dark edge keeps them legible on any grey.

import { ink } from "./inks.js";

const EDGE = "#000b";
const LINE_PX = 15;

/** Draw a line through points of the canvas. */
export function strokePath(context, points, colour, { dash = [], isClosed = false } = {}) {
  const path = new Path2D();
  points.forEach(({ x, y }, index) => (index ? path.lineTo(x, y) : path.moveTo(x, y)));
  if (isClosed) path.closePath();
  context.setLineDash([]);
  for (const [width, style] of [[3.5, EDGE], [1.75, ink(context.canvas, colour)]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke(path);
    context.setLineDash(dash);
  }
  context.setLineDash([]);
}

/** Write lines of words, the first at a point of the canvas. */
export function strokeText(context, lines, x, y, colour) {
  context.font = "12.5px system-ui, sans-serif";
  context.lineJoin = "round";
  lines.forEach((line, index) => {
    context.lineWidth = 4;
    context.strokeStyle = EDGE;
    context.strokeText(line, x, y + index * LINE_PX);
    context.fillStyle = ink(context.canvas, colour);
    context.fillText(line, x, y + index * LINE_PX);
  });
}
