// Image pixels to canvas pixels and back. Image coordinates are continuous: pixel i covers [i, i + 1).

export class Viewport {
  zoom = 1;
  panX = 0;
  panY = 0;

  reset() {
    this.zoom = 1;
    this.panX = 0;
    this.panY = 0;
  }

  /** Fit an image into a canvas of width x height; `aspect` is pixel width over pixel height in mm. */
  fit(width, height, columns, rows, aspect) {
    const base = Math.min(width / (columns * aspect), height / rows) * this.zoom;
    this.scaleX = base * aspect;
    this.scaleY = base;
    this.left = (width - columns * this.scaleX) / 2 + this.panX;
    this.top = (height - rows * this.scaleY) / 2 + this.panY;
  }

  toImage(x, y) {
    return { x: (x - this.left) / this.scaleX, y: (y - this.top) / this.scaleY };
  }

  toCanvas(box) {
    return [
      this.left + box.x * this.scaleX,
      this.top + box.y * this.scaleY,
      box.width * this.scaleX,
      box.height * this.scaleY,
    ];
  }

  /** Zoom by a factor and keep the image point at (x, y) from the canvas's centre where it is. */
  zoomAt(factor, x, y) {
    const zoom = Math.min(16, Math.max(1, this.zoom * factor));
    const ratio = zoom / this.zoom;
    this.zoom = zoom;
    this.panX = zoom === 1 ? 0 : x - (x - this.panX) * ratio;
    this.panY = zoom === 1 ? 0 : y - (y - this.panY) * ratio;
  }
}

/** The rectangle between two image points, clipped to the image; null if it has less than a pixel. */
export function boxBetween(a, b, columns, rows) {
  const clip = (value, limit) => Math.min(limit, Math.max(0, value));
  const round = (value) => Math.round(value * 100) / 100;
  const x = round(clip(Math.min(a.x, b.x), columns));
  const y = round(clip(Math.min(a.y, b.y), rows));
  const width = Math.floor((clip(Math.max(a.x, b.x), columns) - x) * 100) / 100;
  const height = Math.floor((clip(Math.max(a.y, b.y), rows) - y) * 100) / 100;
  return width >= 1 && height >= 1 ? { x, y, width, height } : null;
}

/** Move or resize a box by whole pixels, inside the image. */
export function shiftBox(box, dx, dy, dWidth, dHeight, columns, rows) {
  const width = Math.min(columns, Math.max(1, box.width + dWidth));
  const height = Math.min(rows, Math.max(1, box.height + dHeight));
  const x = Math.min(columns - width, Math.max(0, box.x + dx));
  const y = Math.min(rows - height, Math.max(0, box.y + dy));
  return { x, y, width, height };
}
