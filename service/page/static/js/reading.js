// A reader's way: open a series or files, search for what is on the screen, look at hits, go back to the query.

import { listFrames, Problem } from "./api.js";
import { byId, plural, say } from "./dom.js";
import { FileStack, IndexedStack } from "./viewing/stacks.js";

/**
 * Events: `asked` (the reader wants a search), `searching` (one goes on), `query` (it ended), `opening` (another image
 * is about to be opened) and `opened` (it was), `options` (the controls of a search are to be set to its detail).
 */
export class Reading extends EventTarget {
  #stacks = new Map();
  #query = null;
  #isSearching = false;

  constructor({ viewer, archive, hits }) {
    super();
    Object.assign(this, { viewer, archive, hits });
  }

  /** What the hits are for: the picture that was on the screen, its `regions` then, and `options`; null before a search. */
  get query() {
    return this.#query;
  }

  get isSearching() {
    return this.#isSearching;
  }

  /** Whether the image on the screen is another one than the query's. */
  get isAway() {
    return this.#query !== null && this.viewer.shown?.item !== this.#query.item;
  }

  async stackOf(series) {
    const key = `${series.collection}/${series.series_uid}/${series.frames}`;
    if (!this.#stacks.has(key)) this.#stacks.set(key, new IndexedStack(series, await listFrames(series)));
    return this.#stacks.get(key);
  }

  /** Open a series, at its middle where no item is named. */
  async openSeries(series, itemIn = (stack) => stack.middle, what = {}) {
    const stack = await this.stackOf(series);
    this.archive.mark(series);
    say("");
    await this.#open(stack, itemIn(stack), what);
  }

  async openFiles(files) {
    if (!files.length) return;
    this.archive.mark(null);
    say(files.length === 1 ? `Opened ${files[0].name}` : `Opened ${plural(files.length, "file")}`);
    const stack = new FileStack(files);
    await this.#open(stack, stack.items[0]);
  }

  async openHit(hit) {
    const { series, item } = await this.findHit(hit);
    await this.openSeries(series, () => item, { found: hit.box });
  }

  /** Find a hit's series, stack and item, also where it was indexed after the page was loaded. */
  async findHit(hit) {
    const isIn = (stack) => stack?.find(hit.sop_instance_uid, hit.frame_number);
    let series = this.archive.find(hit.series_uid, hit.collection);
    let stack = series && (await this.stackOf(series));
    if (!isIn(stack)) {
      await this.archive.refresh();
      series = this.archive.find(hit.series_uid, hit.collection) ?? { ...hit, frames: 0 };
      stack = await this.stackOf(series);
    }
    const item = isIn(stack);
    if (!item) throw gone();
    return { series, stack, item };
  }

  /** Search for the regions of the image on the screen, or for all of it. */
  async search(options) {
    const { shown } = this.viewer;
    if (!shown?.frame || this.#isSearching) return;
    const query = Object.freeze({ ...shown, regions: this.viewer.regions, options });
    const boxes = query.regions.map(({ box }) => box);
    this.#isSearching = true;
    this.dispatchEvent(new Event("searching"));
    say(boxes.length ? "Searching for the region…" : "Searching for the whole image…");
    try {
      const answer = await query.stack.search(query.item, boxes, options);
      this.#query = query;
      this.hits.show(answer, query, this.viewer.chosenWindow);
      this.hits.compareWith(this.viewer.shown);
      say(`${plural(answer.hits.length, "hit")}${boxes.length ? " for the region" : ""}`);
    } finally {
      this.#isSearching = false;
      this.dispatchEvent(new Event("query"));
    }
  }

  /** Search with options that do not stand in the controls, and set these to them. */
  searchAgain(options) {
    this.dispatchEvent(new CustomEvent("options", { detail: options }));
    return this.search(options);
  }

  /** Have no query, and no hits. */
  forget() {
    this.#query = null;
    this.hits.clear();
    this.dispatchEvent(new Event("query"));
  }

  /** Go back to the image that was searched for, with its regions. */
  async back() {
    const { stack, item, regions } = this.#query;
    await this.openStack(stack, item, { regions });
    this.viewer.canvas.focus();
  }

  /** Open a stack at an item, as the viewer does. */
  async openStack(stack, item, what) {
    this.archive.mark(stack.series);
    await this.#open(stack, item, what);
  }

  async #open(stack, item, what) {
    byId("welcome").hidden = true;
    this.dispatchEvent(new Event("opening"));
    await this.viewer.open(stack, item, what);
    this.dispatchEvent(new Event("opened"));
  }
}

const gone = () =>
  new Problem({
    title: "The image is gone",
    detail: "It was found, but is no longer indexed.",
    remedy: "Search again.",
  });
