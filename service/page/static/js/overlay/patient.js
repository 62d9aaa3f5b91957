// Who the patient of the study on the screen is, where the site shows names from its PACS. The name is in the overlay
// while the study is on the screen, and nowhere else: in no address, no storage, no export, no print.

import { readPatient } from "../api.js";
import { byId, el } from "../dom.js";

/** Why there is no name, by the status of the answer. */
const WITHOUT = {
  404: "No name: the PACS does not have this study",
  409: "No name: the PACS has another patient id",
  401: "",
};
const SILENT = "No name: the PACS does not answer";

export class PatientText {
  #key = "";
  #asking = new AbortController();

  constructor(viewer, read = readPatient) {
    this.read = read;
    viewer.addEventListener("shown", () => this.#update(viewer.shown?.identity));
  }

  #update({ study_uid, collection } = {}) {
    const key = study_uid ? `${collection}/${study_uid}` : "";
    if (key === this.#key) return;
    this.#key = key;
    this.#asking.abort();
    this.#asking = new AbortController();
    show([]);
    if (key) this.#ask(study_uid, collection, this.#asking.signal);
  }

  async #ask(studyUid, collection, signal) {
    const lines = await this.read(studyUid, collection, signal).then(linesOf, ({ status }) => [WITHOUT[status] ?? SILENT]);
    if (!signal.aborted) show(lines);
  }
}

/** A patient in lines; what the PACS does not have is left out. */
export function linesOf({ name, patient_id, birth_date }) {
  return [name, patient_id && `ID ${patient_id}`, birth_date && `born ${birth_date}`].filter(Boolean);
}

const show = (lines) =>
  byId("patient").replaceChildren(...lines.filter(Boolean).map((textContent) => el("span", { textContent })));
