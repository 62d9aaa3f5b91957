// A reader's way: open a series or files, search for what is on the screen, look at hits, go back to the query.

import { listFrames, Problem } from "./api.js";
import { byId, plural, say } from "./dom.js";
import { firstPage, nextPage, searchedBy } from "./results/asking.js";
import { FileStack, IndexedStack } from "./viewing/stacks.js";

/**
 * Events: `asked` (the reader wants a search), `searching` (one goes on), `query` (it ended), `opening` (another image
 * is about to be opened) and `opened` (it was), `options` (the controls of a search are to be set to its detail).
 */
export class Reading extends EventTarget {
  #stacks = new Map();
  #query = null;
  #answer = null;
  #options = null;
  #running = null; // the search that goes on: {query, options}
  #wanted = null;
  #opening = 0;

  constructor({ viewer, archive, hits }) {
    super();
    Object.assign(this, { viewer, archive, hits });
  }

  /** What the hits are for: the picture that was on the screen, and its `regions` then; null before a search. */
  get query() {
    return this.#query;
  }

  /** The last answer to the query, and the options of the API that it is for; null before a search. */
  get answer() {
    return this.#answer;
  }

  get options() {
    return this.#options;
  }

  get isSearching() {
    return this.#running !== null;
  }

  /** Resolves once no search goes on, at once where none does; one that waits for its turn is given up. */
  ended() {
    this.#wanted = null;
    return this.#turn();
  }

  async #turn() {
    while (this.isSearching) await new Promise((resolve) => this.addEventListener("query", resolve, { once: true }));
  }

  /** Whether the image on the screen is another one than the query's. */
  get isAway() {
    return this.#query !== null && this.viewer.shown?.item !== this.#query.item;
  }

  async stackOf(series) {
    this.archive.check(series);
    const key = keyOf(series);
    if (!this.#stacks.has(key)) this.#stacks.set(key, new IndexedStack(series, await listFrames(series)));
    return this.#stacks.get(key);
  }

  /** The series of which images were shown since the page was loaded, beside too: they may still be in memory. */
  get seen() {
    return [...this.#stacks.values()].map(({ series }) => series);
  }

  /** Open a series, at its middle where no item is named. */
  async openSeries(series, itemIn = (stack) => stack.middle, what = {}) {
    this.archive.check(series);
    const isLatest = this.#begin();
    this.archive.mark(series);
    if (!this.#stacks.has(keyOf(series))) {
      // Its name is marked in the list: no picture of another series stays meanwhile.
      this.viewer.close();
      say("Loading the series…");
    }
    const stack = await this.stackOf(series);
    if (!isLatest()) return;
    say("");
    await this.#open(stack, itemIn(stack), what);
  }

  async openFiles(files) {
    if (!files.length) return;
    this.#begin();
    this.archive.mark(null);
    say(files.length === 1 ? `Opened ${files[0].name}` : `Opened ${plural(files.length, "file")}`);
    const stack = new FileStack(files);
    await this.#open(stack, stack.items[0]);
  }

  async openHit(hit) {
    const isLatest = this.#begin();
    const found = this.placeIn(hit);
    const { series, item } = await this.findHit(hit);
    if (isLatest()) await this.openSeries(series, () => item, { found });
  }

  /** The box of a hit that answers to the query's region; of a whole image, none does. */
  placeIn(hit) {
    return this.#query?.regions.length ? hit.box : null;
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

  /** Search for the regions of the image on the screen, or for all of it: after a search that goes on, the last asked for. */
  async search(options) {
    const { shown, regions } = this.viewer;
    if (!shown?.frame) return;
    const asked = { query: Object.freeze({ ...shown, regions }), options };
    this.#wanted = asked;
    if (this.#running && isSame(asked, this.#running)) return;
    if (this.isSearching) await this.#turn();
    if (asked === this.#wanted) await this.#search(asked.query, options);
  }

  /** Search for the query again in another way, whatever is on the screen. */
  async searchAgain(options) {
    if (this.#query) await this.#search(this.#query, options);
  }

  /** Search with options that do not stand in the controls, and set these to them. */
  async searchAs(options) {
    this.dispatchEvent(new CustomEvent("options", { detail: options }));
    await this.search(options);
  }

  /** Have no query, and no hits. */
  forget() {
    this.#query = this.#answer = this.#options = null;
    this.hits.clear();
    this.dispatchEvent(new Event("query"));
  }

  /** Whether there are more hits than those shown. */
  get hasMore() {
    return Boolean(this.#answer?.next);
  }

  /** Show some of the hits that follow those shown. */
  async more(count) {
    const query = this.#query;
    const options = { ...this.#options, k: this.#answer.hits.length + count };
    const isOver = await this.#ask({ query, options }, () => this.#extend(query, options, count));
    if (isOver) await this.#search(query, options);
  }

  /** Add the hits that follow; true where the state of the archive that they are of is no longer to be had. */
  async #extend(query, options, count) {
    try {
      const following = await this.#asked(query, nextPage(this.#options, this.#answer, count));
      const { next, search } = following;
      this.#answer = { ...this.#answer, hits: [...this.#answer.hits, ...following.hits], next, search };
      this.#options = options;
      this.hits.extend(following.hits);
      return false;
    } catch (problem) {
      if (problem.status === 400) return true;
      throw problem;
    }
  }

  async #search(query, options) {
    const { length } = query.regions;
    await this.#ask({ query, options }, async () => {
      say(length ? "Searching for the region…" : "Searching for the whole image…");
      const { answer, options: used } = await searchedBy((fields) => this.#asked(query, firstPage(fields)), options);
      this.#query = query;
      this.#answer = answer;
      this.#options = used;
      this.hits.show(answer, query, this.viewer.chosenWindow);
      this.hits.compareWith(this.viewer.shown);
      say(`${plural(answer.hits.length, "hit")}${length ? " for the region" : ""}`);
    });
  }

  #asked({ stack, item, regions }, fields) {
    return stack.search(item, regions.map(({ box, outline }) => outline ?? box), fields);
  }

  /** One search at a time; returns what it does. */
  async #ask(running, search) {
    if (this.isSearching) return undefined;
    this.#running = running;
    this.dispatchEvent(new Event("searching"));
    try {
      return await search();
    } finally {
      this.#running = null;
      this.dispatchEvent(new Event("query"));
    }
  }

  /** Go back to the image that was searched for, with its regions. */
  async back() {
    const { stack, item, regions } = this.#query;
    await this.openStack(stack, item, { regions });
    this.viewer.canvas.focus();
  }

  /** Open a stack at an item, as the viewer does. */
  async openStack(stack, item, what) {
    this.#begin();
    this.archive.mark(stack.series);
    await this.#open(stack, item, what);
  }

  /** Begin to open something; the function says whether nothing else was begun since. */
  #begin() {
    const opening = (this.#opening += 1);
    return () => opening === this.#opening;
  }

  async #open(stack, item, what) {
    byId("welcome").hidden = true;
    this.dispatchEvent(new Event("opening"));
    await this.viewer.open(stack, item, what);
    this.dispatchEvent(new Event("opened"));
  }
}

const isSame = (one, other) =>
  one.query.item === other?.query.item &&
  JSON.stringify([one.query.regions, one.options]) === JSON.stringify([other.query.regions, other.options]);

const keyOf = ({ collection, series_uid, frames }) => `${collection}/${series_uid}/${frames}`;

const gone = () =>
  new Problem({
    title: "The image is gone",
    detail: "It was found, but is no longer indexed.",
    remedy: "Search again.",
  });
