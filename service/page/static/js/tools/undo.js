// Undo and redo of what is drawn on the images of a series: regions and measurements.

const MOST = 200;
const NOTHING = Object.freeze({ regions: [], measurements: [] });
const same = (a, b) => a === b || (!a.length && !b.length);

/**
 * Notes every change of what an image has, whoever made it, so that none can be lost.
 *
 * Event: `change`. Only changes of the series that is open are undone: the reader sees what happens.
 */
export class Undo extends EventTarget {
  #done = [];
  #undone = [];
  #known = new Map();
  #held = null;

  constructor(viewer, measurements) {
    super();
    Object.assign(this, { viewer, measurements });
    const note = () => this.#note(viewer.shown?.item);
    for (const event of ["regions", "shown"]) viewer.addEventListener(event, note);
    measurements.addEventListener("change", note);
  }

  get canUndo() {
    return this.#done.some((change) => this.#isOpen(change));
  }

  get canRedo() {
    return this.#undone.some((change) => this.#isOpen(change));
  }

  /** Let all that happens to an image until `release` be one change. */
  hold(item) {
    this.#held = item;
  }

  release() {
    const item = this.#held;
    this.#held = null;
    this.#note(item);
  }

  /** Take back the last change of the open series, on its image. */
  undo() {
    return this.#move(this.#done, this.#undone, "before", "after");
  }

  redo() {
    return this.#move(this.#undone, this.#done, "after", "before");
  }

  #isOpen = ({ stack }) => stack === this.viewer.stack;

  #stateOf(item) {
    return { regions: this.viewer.regionsOf(item), measurements: this.measurements.of(item) };
  }

  #note(item) {
    if (!item || item === this.#held) return;
    const [before, after] = [this.#known.get(item.key) ?? NOTHING, this.#stateOf(item)];
    if (same(before.regions, after.regions) && same(before.measurements, after.measurements)) return;
    this.#known.set(item.key, after);
    this.#done = [...this.#done, { stack: this.viewer.stack, item, before, after }].slice(-MOST);
    this.#undone = this.#undone.filter((change) => !this.#isOpen(change));
    this.dispatchEvent(new Event("change"));
  }

  /** What the image has now is kept on the other side, even if it came by a way that was not noted. */
  async #move(from, to, wanted, other) {
    const change = from.findLast(this.#isOpen);
    if (!change) return;
    from.splice(from.lastIndexOf(change), 1);
    const { stack, item } = change;
    to.push({ ...change, [other]: this.#stateOf(item) });
    this.hold(item);
    this.#known.set(item.key, change[wanted]);
    const { regions, measurements } = change[wanted];
    this.measurements.set(item, measurements);
    const isShown = this.viewer.shown?.item === item;
    if (isShown) this.viewer.setRegions(regions);
    const opened = isShown ? null : this.viewer.open(stack, item, { regions });
    this.release();
    this.dispatchEvent(new Event("change"));
    await opened;
  }
}
