// The list of indexed series.

import { listSeries } from "../api.js";
import { byId, el, plural } from "../dom.js";

export class Archive {
  series = [];
  #marked = null;

  constructor(choose) {
    this.choose = choose;
  }

  async refresh() {
    this.series = await listSeries();
    const frames = this.series.reduce((sum, series) => sum + series.frames, 0);
    byId("series-count").textContent = this.series.length ? plural(frames, "frame") : "";
    byId("empty-archive").hidden = this.series.length > 0;
    byId("series").replaceChildren(...this.series.map((series) => this.#row(series)));
    this.mark(this.#marked);
    this.#offerModalities();
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
    return this.series.find((series) => series.series_uid === seriesUid && series.collection === collection);
  }

  mark(series) {
    this.#marked = series;
    const marked = series && this.find(series.series_uid, series.collection);
    [...byId("series").querySelectorAll("button")].forEach((button, index) => {
      button.setAttribute("aria-current", String(this.series[index] === marked));
    });
  }

  #row(series) {
    const name = series.body_part ?? "Series";
    const detail = `${plural(series.frames, "frame")} · …${series.series_uid.slice(-8).replace(/^\.+/, "")}`;
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          title: `Collection ${series.collection}, series ${series.series_uid}`,
          onclick: () => this.choose(series),
        },
        el("span", { className: "badge", textContent: series.modality }),
        el("span", { className: "series-name", textContent: name }),
        el("span", { className: "series-detail", textContent: detail }),
      ),
    );
  }
}
