// What is indexed: all series, and which of them is open.

import { listSeries } from "../api.js";
import { byId, el } from "../dom.js";

/** Events: `listed` (there may be other series), `marked` (another series is open, or none). */
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
    this.#offerModalities();
    this.dispatchEvent(new Event("listed"));
    this.mark(this.#marked);
  }

  /** The filters, in the form of the API. */
  limits() {
    const modality = byId("modality").value;
    return {
      ...(modality ? { filters: { modality } } : {}),
      ...(byId("per-series").checked ? { group_by: "series" } : {}),
    };
  }

  /** Offer the archive's modalities where there are several; the one chosen stays so. */
  #offerModalities() {
    const modalities = [...new Set(this.series.map((series) => series.modality))].sort();
    const select = byId("modality");
    const chosen = modalities.includes(select.value) ? select.value : "";
    const options = [["", "All modalities"], ...modalities.map((modality) => [modality, modality])];
    select.replaceChildren(...options.map(([value, textContent]) => el("option", { value, textContent })));
    select.value = chosen;
    select.hidden = modalities.length < 2;
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
