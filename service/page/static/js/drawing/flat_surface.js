// Pictures on a 2-D canvas.

export class FlatSurface {
  kind = "2d";

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.buffer = document.createElement("canvas");
  }

  takes() {
    return true;
  }

  /** Draw a frame through its greys; `matrix` takes image points to pixels of the canvas. */
  draw(frame, shades, matrix) {
    if (frame !== this.frame || shades !== this.shades) this.#fill(frame, shades);
    this.clear();
    this.context.setTransform(...matrix);
    this.context.imageSmoothingQuality = "medium";
    this.context.drawImage(this.buffer, 0, 0);
  }

  clear() {
    // Not by a rectangle over all of it: under load, Chromium leaves one out now and then.
    this.context.reset();
  }

  #fill(frame, shades) {
    const { rows, columns, values } = frame;
    if (this.buffer.width !== columns || this.buffer.height !== rows) {
      Object.assign(this.buffer, { width: columns, height: rows });
      this.image = null;
    }
    const context = this.buffer.getContext("2d", { alpha: false });
    this.image ??= context.createImageData(columns, rows);
    const pixels = new Uint32Array(this.image.data.buffer);
    if (frame.coloured) fillColour(pixels, values, shades);
    else fillGrey(pixels, values, shades);
    context.putImageData(this.image, 0, 0);
    Object.assign(this, { frame, shades });
  }
}

const OPAQUE = 0xff000000;

function fillGrey(pixels, values, shades) {
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = OPAQUE | (shades[values[i] & 0xffff] * 0x010101);
}

function fillColour(pixels, values, shades) {
  for (let i = 0, j = 0; i < pixels.length; i += 1, j += 3) {
    pixels[i] = OPAQUE | (shades[values[j + 2]] << 16) | (shades[values[j + 1]] << 8) | shades[values[j]];
  }
}
