// What is indexed: all series, and which of them is open.

import { listSeries } from "../api.js";

/** Events: `listed` (there may be other series), `marked` (another series is open, or none), `removed` (what was shown is gone). */
export class Archive extends EventTarget {
  series = [];
  #byName = new Map();
  #marked = null;

  constructor(choose) {
    super();
    this.choose = choose;
  }

  async refresh() {
    this.series = await listSeries();
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

const nameOf = (seriesUid, collection) => `${collection}/${seriesUid}`;
