// What is indexed: all series, and which of them is open.

import { listSeries, Problem } from "../api.js";

/** Events: `listed` (there may be other series), `marked` (another series is open, or none), `removed` (what was shown is gone). */
export class Archive extends EventTarget {
  /** All that are listed; `isReplaced` of one that others are to take the place of, of which nothing is indexed meanwhile. */
  series = [];
  #listed = [];
  #replaced = new Map();
  #byName = new Map();
  #marked = null;

  constructor(choose) {
    super();
    this.choose = choose;
  }

  async refresh() {
    this.#listed = await listSeries();
    this.#list();
  }

  /** List series as being replaced, until the function that is returned is called. */
  replace(series) {
    const names = series.map((one) => nameOf(one.series_uid, one.collection));
    series.forEach((one, at) => this.#replaced.set(names[at], Object.freeze({ ...one, isReplaced: true })));
    this.#list();
    return () => {
      for (const name of names) this.#replaced.delete(name);
      this.#list();
    };
  }

  /** Throw a problem for a series that is being replaced: what is in memory of it is true no longer, and the new not yet whole. */
  check({ series_uid, collection }) {
    if (this.#replaced.has(nameOf(series_uid, collection))) throw replaced();
  }

  #list() {
    const isListed = ({ series_uid, collection }) => !this.#replaced.has(nameOf(series_uid, collection));
    this.series = [...this.#listed.filter(isListed), ...this.#replaced.values()];
    this.#byName = new Map(this.series.map((series) => [nameOf(series.series_uid, series.collection), series]));
    this.dispatchEvent(new Event("listed"));
    this.mark(this.#marked);
  }

  find(seriesUid, collection) {
    return this.#byName.get(nameOf(seriesUid, collection));
  }

  /** The series that is open; null where none is. */
  get marked() {
    return this.#marked && (this.find(this.#marked.series_uid, this.#marked.collection) ?? null);
  }

  mark(series) {
    this.#marked = series;
    this.dispatchEvent(new Event("marked"));
  }
}

const replaced = () =>
  new Problem({
    title: "The series is being replaced",
    detail: "Its images are gone from the archive, and others are being indexed in their place.",
    remedy: "Open it once the job has ended.",
  });

const nameOf = (seriesUid, collection) => `${collection}/${seriesUid}`;
