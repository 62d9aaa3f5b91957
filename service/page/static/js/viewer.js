// The viewer: one picture of a stack on a canvas, its boxes, and what is known of it in words.

import { byId } from "./dom.js";
import { Viewport } from "./viewport.js";

const COLOURS = { query: "#ffb454", hit: "#5ccfff" };
const NEIGHBOURS = [1, -1, 2, -2];

export class Viewer extends EventTarget {
  stack = null;
  index = 0;
  box = null;
  hitBox = null;
  displayWindow = null;
  picture = null;
  viewport = new Viewport();
  #loading = false;
  #stale = false;

  constructor(canvas) {
    super();
    this.canvas = canvas;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Show a frame of a stack; `box` is the query's box, `hitBox` one that was found. */
  async show(stack, index = 0, { box = null, hitBox = null } = {}) {
    if (stack !== this.stack) {
      this.viewport.reset();
      this.displayWindow = stack.series?.modality === this.stack?.series?.modality ? this.displayWindow : null;
      this.picture = null;
    }
    Object.assign(this, { stack, index, box, hitBox });
    byId("welcome").hidden = true;
    await this.load();
  }

  scrollTo(index) {
    if (!this.stack) return;
    const wanted = Math.min(this.stack.length - 1, Math.max(0, index));
    if (wanted === this.index) return;
    this.index = wanted;
    this.hitBox = null;
    this.load();
  }

  setBox(box) {
    this.box = box;
    this.hitBox = null;
    this.draw();
    this.#tell("box");
  }

  /** Set the display window (centre, width, units); null is the file's own, as it is in a picture of other units. */
  setWindow(displayWindow) {
    this.displayWindow = displayWindow;
    this.#tell("window");
    return this.load();
  }

  /** The display window in use: HU, or percent of the full range where values are not HU. */
  get shownWindow() {
    const fallback = this.picture?.units === "HU" ? [40, 400] : [50, 100];
    const chosen = this.displayWindow?.[2] === this.picture?.units ? this.displayWindow : null;
    return chosen ?? this.picture?.displayWindow ?? fallback;
  }

  /** Load the current picture; calls during a load lead to one more, of the newest request. */
  async load() {
    this.#stale = true;
    if (this.#loading || !this.stack) return;
    this.#loading = true;
    while (this.#stale) {
      this.#stale = false;
      try {
        this.picture = await this.stack.picture(this.index, this.displayWindow);
      } catch (problem) {
        this.picture = null;
        this.dispatchEvent(new CustomEvent("problem", { detail: problem }));
      }
      this.draw();
    }
    this.#loading = false;
    this.#tell("frame");
    this.#prefetch();
  }

  /** Fit the picture into the canvas as it is now. */
  layOut() {
    const { columns, rows, spacing } = this.picture;
    const aspect = spacing ? spacing[1] / spacing[0] : 1;
    this.viewport.fit(this.canvas.clientWidth, this.canvas.clientHeight, columns, rows, aspect);
  }

  draw() {
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    this.#describe();
    if (!this.picture) return;
    this.layOut();
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.imageSmoothingQuality = "high";
    const { columns, rows } = this.picture;
    context.drawImage(this.picture.bitmap, ...this.viewport.toCanvas({ x: 0, y: 0, width: columns, height: rows }));
    this.#drawBox(context, this.hitBox, COLOURS.hit);
    this.#drawBox(context, this.box, COLOURS.query);
  }

  #drawBox(context, box, colour) {
    if (!box) return;
    context.lineWidth = 3.5;
    context.strokeStyle = "#000a";
    context.strokeRect(...this.viewport.toCanvas(box));
    context.lineWidth = 1.75;
    context.strokeStyle = colour;
    context.strokeRect(...this.viewport.toCanvas(box));
  }

  #describe() {
    const { picture, stack } = this;
    const [centre, width] = this.shownWindow.map(Math.round);
    const unit = picture?.units === "HU" ? "HU" : "%";
    byId("frame-text").textContent = stack ? `Image ${this.index + 1} of ${stack.length}` : "";
    byId("window-text").textContent = picture ? `Centre ${centre}, width ${width} ${unit}` : "";
    byId("box-text").textContent = picture ? describeBox(this.box, picture.spacing) : "";
  }

  #prefetch() {
    for (const step of NEIGHBOURS) {
      const index = this.index + step;
      if (index >= 0 && index < this.stack.length) this.stack.preload(index, this.displayWindow).catch(() => null);
    }
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

function describeBox(box, spacing) {
  if (!box) return "";
  const pixels = `${box.width.toFixed(0)} × ${box.height.toFixed(0)} px`;
  if (!spacing) return `${pixels} (size in mm unknown)`;
  return `${(box.width * spacing[1]).toFixed(1)} × ${(box.height * spacing[0]).toFixed(1)} mm (${pixels})`;
}
