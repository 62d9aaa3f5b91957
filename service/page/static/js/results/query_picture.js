// The picture of the query, of which each card shows the same place beside its own: drawn once for all of them.

import { FlatSurface } from "../drawing/flat_surface.js";
import { shadesOf } from "../pixels/shades.js";
import { windowFor } from "../viewing/display_window.js";

const IDENTITY = [1, 0, 0, 1, 0, 0];

export class QueryPicture {
  #canvas = document.createElement("canvas");
  #surface = new FlatSurface(this.#canvas);

  constructor({ frame }) {
    this.frame = frame;
    Object.assign(this.#canvas, { width: frame.columns, height: frame.rows });
  }

  /** Draw through the display window that the viewer would use. */
  setWindow(chosen) {
    this.#surface.draw(this.frame, shadesOf(this.frame, windowFor(this.frame, chosen)), IDENTITY);
  }

  /** Draw a cut of it onto a square of a context. */
  paint(context, { x, y, width, height }, [left, top, side]) {
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#canvas, x, y, width, height, left, top, side, side);
  }
}
