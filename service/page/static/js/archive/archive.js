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
