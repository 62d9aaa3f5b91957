// What the archive tells of the series on the screen; it knows no names. Asked for once a series, and never waited for.

import { readInstance } from "../api.js";
import { el } from "../dom.js";
import { ageBand, sexText } from "../persons.js";

export class Facts {
  #bySeries = new Map();
  #shown = "";

  /** They are written into an element beside the viewer's picture. */
  constructor(viewer, element, read = readInstance) {
    Object.assign(this, { viewer, element, read });
    viewer.addEventListener("shown", () => this.#update());
  }

  /** The archive has changed, and may tell otherwise of a series that it still has: what is shown stays until it does. */
  renew(archive) {
    const { shown } = this.viewer;
    const key = keyOf(shown);
    for (const other of [...this.#bySeries.keys()]) if (other !== key) this.#bySeries.delete(other);
    const isListed = key && archive.find(shown.identity.series_uid, shown.identity.collection);
    if (isListed && this.#bySeries.has(key)) this.#ask(key, shown.identity);
  }

  #update() {
    const { shown } = this.viewer;
    const series = shown?.stack.series ?? null;
    const key = keyOf(shown);
    if (series && shown.frame && !this.#bySeries.has(key)) {
      this.#bySeries.set(key, []);
      this.#ask(key, shown.identity);
    }
    const lines = series ? (this.#bySeries.get(key) ?? []) : [];
    if (lines.join("\n") === this.#shown) return;
    this.#shown = lines.join("\n");
    this.element.replaceChildren(...lines.map((textContent) => el("span", { textContent })));
  }

  /** What cannot be read is left out: the image is what matters, and its own problems are told elsewhere. */
  async #ask(key, { sop_instance_uid, collection }) {
    const told = await this.read(sop_instance_uid, collection).catch(() => null);
    if (told) this.#bySeries.set(key, linesOf(told.frames[0]));
    else this.#bySeries.delete(key);
    if (told) this.#update();
  }
}

const keyOf = (shown) => (shown?.stack.series ? `${shown.stack.series.collection}/${shown.stack.series.series_uid}` : "");

/** What is known of a frame, in lines; what is not known is left out. */
export function linesOf(frame) {
  const { modality, body_part, series_description, sex, age_years, study_date } = frame;
  const { slice_thickness_mm, convolution_kernel, contrast, label } = frame;
  const contrastText = { true: "contrast agent", false: "no contrast agent" }[contrast];
  return [
    [modality, body_part],
    [series_description],
    [sex && sexText(sex), ageBand(age_years)],
    [study_date],
    [slice_thickness_mm && `${slice_thickness_mm} mm`, convolution_kernel, contrastText],
    [label],
  ]
    .map((parts) => parts.filter(Boolean).join(" · "))
    .filter(Boolean);
}
