// The point whose value is told: the one under the pointer, or one that was set down by a finger or by keys.

/** Event: `move`. `at` is in image points, null where there is none; `isSet` where it stays without a pointer. */
export class Point extends EventTarget {
  at = null;
  isSet = false;

  constructor(viewer) {
    super();
    this.viewer = viewer;
  }

  /** Follow the pointer, or leave the image with it. */
  hover(at) {
    this.#move(at, false);
  }

  /** Set the point down; it is drawn as a cross. */
  set(at) {
    this.#move(at, true);
  }

  centre() {
    const { columns, rows } = this.viewer.shown.frame;
    this.set({ x: columns / 2, y: rows / 2 });
  }

  /** Move the point by pixels, inside the image. */
  shift(dx, dy) {
    if (!this.at) this.centre();
    const { columns, rows } = this.viewer.shown.frame;
    const within = (value, limit) => Math.min(limit - 0.5, Math.max(0.5, Math.floor(value) + 0.5));
    this.set({ x: within(this.at.x + dx, columns), y: within(this.at.y + dy, rows) });
  }

  #move(at, isSet) {
    const isCross = this.isSet || isSet;
    Object.assign(this, { at, isSet });
    this.dispatchEvent(new Event("move"));
    if (isCross) this.viewer.draw();
  }
}
