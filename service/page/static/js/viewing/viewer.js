// The viewer: one frame of a stack on a canvas. What it shows and what it was asked to show are two things; whatever is
// written beside the picture, searched for or gone back to is taken from `shown`, which changes as the picture does.

import { Placement } from "../drawing/placement.js";
import { flatInPlaceOf, surfaceOf } from "../drawing/surface.js";
import { shadesOf } from "../pixels/shades.js";
import { windowFor } from "./display_window.js";

/** Steps that may wait for their turn on the screen, one a redraw; with more, only the last is drawn. */
const MOST_WAITING = 8;
/** Wishes that are loaded at a time, also those that are past: a key that is held makes no queue of requests. */
const MOST_LOADING = 2;

/**
 * Events: `shown` (another frame, or another window, is on the screen), `loading` (a wish waits, or no longer),
 * `window` (a display window was chosen), `regions` (those of a frame changed), `problem` (its detail is an error).
 */
export class Viewer extends EventTarget {
  placement = new Placement();
  /** Whether dark and light are exchanged. */
  isInverted = false;
  #store;
  #marks;
  #surface;
  #layers = [];
  #wishes = [];
  #loading = new Set();
  #stack = null;
  #modality = null;
  #shown = null;
  #direction = 1;
  #chosen = null;
  #regions = new Map();
  #found = null;
  #shades = { frame: null };
  #isDue = false;
  #settled = [];

  /** `picture` and `marks` are canvases of the same size, the second over the first. */
  constructor({ picture, marks }, store, surface = surfaceOf(picture)) {
    super();
    this.#store = store;
    this.#surface = surface;
    this.#marks = marks;
    surface.canvas.addEventListener("webglcontextlost", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(marks);
  }

  /** What is on the screen: {stack, item, identity, index, count, frame, window}; null where nothing is. */
  get shown() {
    return this.#shown;
  }

  /** The item that will be shown once it is there: the one shown where nothing waits. */
  get wish() {
    return this.#wishes.at(-1) ?? this.#shown?.item ?? null;
  }

  get isWaiting() {
    return this.#wishes.length > 0;
  }

  get stack() {
    return this.#stack;
  }

  get canvas() {
    return this.#marks;
  }

  /**
   * Show an item of a stack; `regions` are set as the frame's own, `found` is the box of a hit in it.
   *
   * Nothing of another stack stays on the screen meanwhile. Resolves when the item is shown, or cannot be.
   */
  open(stack, item = stack.middle, { regions, found = null } = {}) {
    if (stack !== this.#stack) this.#enter(stack);
    if (regions) this.#regions.set(item.key, regions);
    this.#found = found && { item, box: found };
    this.#wishes = [item];
    return this.#next();
  }

  /** Show nothing: what will be opened next is not known yet. */
  close() {
    this.#stack = null;
    this.#wishes = [];
    this.#clear();
    this.#settle();
  }

  /** Go to the item at an index of the stack at once. */
  goTo(index) {
    if (!this.#stack) return Promise.resolve();
    const item = this.#stack.items[Math.min(this.#stack.length - 1, Math.max(0, index))];
    if (item === this.wish) return Promise.resolve();
    this.#direction = Math.sign(index - this.#stack.indexOf(this.wish)) || 1;
    this.#found = null;
    this.#wishes = [item];
    return this.#next();
  }

  /** Go on by one image, or back; steps that come faster than the screen are drawn one after another. */
  step(direction) {
    if (!this.#stack) return Promise.resolve();
    const waiting = this.#wishes;
    const index = this.#stack.indexOf(this.wish) + direction;
    if (!this.#stack.items[index]) return Promise.resolve();
    const done = this.goTo(index);
    if (waiting.length < MOST_WAITING && waiting.every((item) => this.#store.has(item))) {
      this.#wishes = [...waiting, ...this.#wishes];
    }
    return done;
  }

  /** Choose a display window, as `windowFor` takes it; null is the file's own. */
  setWindow(chosen) {
    this.#chosen = chosen;
    this.dispatchEvent(new Event("window"));
    this.draw();
  }

  /** The window that was chosen, null where none was. */
  get chosenWindow() {
    return this.#chosen;
  }

  /** Centre and width of the display window that the picture on the screen is drawn through. */
  get shownWindow() {
    return this.#shown?.window ?? this.#shown?.frame?.ownWindow ?? null;
  }

  /** The regions that were drawn on the image on the screen; each has a `box`. */
  get regions() {
    return this.#shown ? this.regionsOf(this.#shown.item) : [];
  }

  regionsOf(item) {
    return this.#regions.get(item.key) ?? [];
  }

  /** Items of the stack that have regions. */
  get marked() {
    return this.#stack?.items.filter((item) => this.regionsOf(item).length) ?? [];
  }

  /** Set the regions of the image on the screen. */
  setRegions(regions) {
    if (!this.#shown) return;
    this.#found = null;
    this.#regions.set(this.#shown.item.key, regions);
    this.dispatchEvent(new Event("regions"));
    this.draw();
  }

  /** The box of a hit in the image on the screen, null where there is none. */
  get found() {
    return this.#found && this.#found.item === this.#shown?.item ? this.#found.box : null;
  }

  /** Add what draws over the picture: `paint(context, viewer)` in points of the canvas. */
  addLayer(paint) {
    this.#layers.push(paint);
    this.draw();
  }

  /** Draw again at the next redraw of the screen. */
  draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#redraw());
  }

  #enter(stack) {
    const modality = stack.series?.modality;
    if (modality !== this.#modality) this.#chosen = null;
    this.#modality = modality;
    this.placement.reset();
    this.isInverted = false;
    this.#stack = stack;
    this.#direction = 1;
    this.#loading = new Set();
    this.#clear();
  }

  #clear() {
    this.#shown = null;
    this.#paint();
  }

  #next() {
    const done = new Promise((resolve) => this.#settled.push(resolve));
    this.#go();
    return done;
  }

  /** Draw the first wish if it is in memory, else load the last one. */
  #go() {
    if (this.#store.has(this.#wishes[0])) this.draw();
    else this.#load();
  }

  async #load() {
    const wish = this.#wishes.at(-1);
    this.#wishes = [wish];
    this.dispatchEvent(new Event("loading"));
    if (this.#loading.has(wish) || this.#loading.size >= MOST_LOADING) return;
    this.#loading.add(wish);
    // What lies around it is loaded next, and what was on its way for the place before is given up.
    this.#plan(wish);
    try {
      await this.#store.get(wish);
    } catch (problem) {
      if (wish === this.#wishes.at(-1)) this.#fail(problem);
    }
    this.#loading.delete(wish);
    if (this.#wishes.length) this.#go();
  }

  #plan(item) {
    this.#store.follow(this, this.#stack.items, this.#stack.indexOf(item), this.#direction);
  }

  /** No picture stays beside words that are not its own: that of an image that cannot be shown is none. */
  #fail(problem) {
    const [item] = this.#wishes.splice(0);
    this.#show({ item, frame: null });
    this.#paint();
    this.dispatchEvent(new CustomEvent("problem", { detail: problem }));
    this.#settle();
  }

  #redraw() {
    this.#isDue = false;
    const [wish] = this.#wishes;
    const frame = wish && this.#store.peek(wish);
    if (frame) {
      this.#wishes.shift();
      this.#stack.expand?.(wish);
      this.#show({ item: wish, frame });
    }
    this.#paint();
    if (frame) this.#follow();
    // It was let go of meanwhile, for something else that came.
    else if (wish) this.#load();
  }

  #follow() {
    this.#plan(this.#shown.item);
    if (this.#wishes.length) this.#go();
    else this.#settle();
  }

  #settle() {
    this.dispatchEvent(new Event("loading"));
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #show({ item, frame }) {
    const stack = this.#stack;
    const where = { index: stack.indexOf(item), count: stack.length };
    this.#shown = Object.freeze({ stack, item, identity: item.identity, ...where, frame, window: null });
  }

  /** Draw what is shown, and tell it in the same turn: words and picture come to the screen together. */
  #paint() {
    if (this.#shown?.frame && !this.#surface.takes(this.#shown.frame)) this.#surface = flatInPlaceOf(this.#surface.canvas);
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.#marks.clientWidth, this.#marks.clientHeight];
    for (const canvas of [this.#surface.canvas, this.#marks]) resize(canvas, Math.round(width * ratio), Math.round(height * ratio));
    this.#drawPicture(width, height, ratio);
    const context = this.#marks.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.dispatchEvent(new Event("shown"));
    if (this.#shown?.frame) for (const paint of this.#layers) paint(context, this);
  }

  #drawPicture(width, height, ratio) {
    const frame = this.#shown?.frame;
    if (!frame) return this.#surface.clear();
    const used = windowFor(frame, this.#chosen);
    if (String(this.#shown.window) !== String(used)) this.#shown = Object.freeze({ ...this.#shown, window: used });
    this.placement.fit(width, height, frame.columns, frame.rows, aspectOf(frame));
    this.#surface.draw(frame, this.#shadesOf(frame, used), this.placement.matrix.map((value) => value * ratio));
    return undefined;
  }

  #shadesOf(frame, used) {
    const isInverted = this.isInverted;
    if (this.#shades.frame !== frame || String(this.#shades.used) !== String(used) || this.#shades.isInverted !== isInverted) {
      const table = shadesOf(frame, used);
      this.#shades = { frame, used, isInverted, table: isInverted ? table.map((grey) => 255 - grey) : table };
    }
    return this.#shades.table;
  }
}

const aspectOf = ({ spacing }) => (spacing ? spacing[1] / spacing[0] : 1);

function resize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
