// Where an image lies on a canvas: zoomed, moved, turned, flipped; and from image points to canvas points and back.
//
// Image coordinates are continuous: pixel i covers [i, i + 1).

const MOST_ZOOM = 32;
/** Cosine and sine of quarter turns, clockwise. */
const TURNS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
];

export class Placement {
  zoom = 1;
  panX = 0;
  panY = 0;
  turns = 0;
  flipped = false;
  matrix = [1, 0, 0, 1, 0, 0];

  reset() {
    Object.assign(this, { zoom: 1, panX: 0, panY: 0, turns: 0, flipped: false });
  }

  turn(quarters = 1) {
    this.turns = (this.turns + quarters + 4) % 4;
  }

  /** Mirror left and right as they are seen. */
  flip() {
    this.flipped = !this.flipped;
    if (this.turns % 2) this.turn(2);
  }

  /** Fit an image into a canvas of width x height; `aspect` is pixel width over pixel height in mm. */
  fit(width, height, columns, rows, aspect = 1) {
    const [wide, high] = this.turns % 2 ? [rows, columns * aspect] : [columns * aspect, rows];
    this.scale = Math.min(width / wide, height / high) * this.zoom;
    const [cos, sin] = TURNS[this.turns];
    const across = this.scale * aspect * (this.flipped ? -1 : 1);
    const [a, b, c, d] = [cos * across, sin * across, -sin * this.scale, cos * this.scale];
    const [x, y] = [width / 2 + this.panX, height / 2 + this.panY];
    this.matrix = [a, b, c, d, x - (a * columns + c * rows) / 2, y - (b * columns + d * rows) / 2];
  }

  toCanvas({ x, y }) {
    const [a, b, c, d, e, f] = this.matrix;
    return { x: a * x + c * y + e, y: b * x + d * y + f };
  }

  toImage(x, y) {
    const [a, b, c, d, e, f] = inverse(this.matrix);
    return { x: a * x + c * y + e, y: b * x + d * y + f };
  }

  /** A box of the image as x, y, width, height on the canvas. */
  boxToCanvas(box) {
    const from = this.toCanvas(box);
    const to = this.toCanvas({ x: box.x + box.width, y: box.y + box.height });
    return [Math.min(from.x, to.x), Math.min(from.y, to.y), Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
  }

  /** Zoom by a factor and keep the image point at (x, y) from the canvas's centre where it is. */
  zoomAt(factor, x, y) {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const ratio = zoom / this.zoom;
    this.zoom = zoom;
    this.panX = zoom === 1 ? 0 : x - (x - this.panX) * ratio;
    this.panY = zoom === 1 ? 0 : y - (y - this.panY) * ratio;
  }
}

export function inverse([a, b, c, d, e, f]) {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}
