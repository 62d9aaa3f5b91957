// What a row of the tree says, to the eye and to a screen reader.

import { plural } from "../dom.js";

const HANDLE_DIGITS = 8;
const UID_END = 8;

/** The words of a row: its `name`, a `detail`, and the `label` that a screen reader says. */
export function wordsOf(row) {
  const words = { patient: ofPatient, study: ofStudy, series: ofSeries }[row.kind](row);
  return { ...words, label: [words.name, words.detail].filter(Boolean).join(", ") };
}

function ofPatient({ series }) {
  const { patient } = series[0];
  const name = patient ? `Patient ${patient.slice(0, HANDLE_DIGITS)}` : "Without patient id";
  const studies = new Set(series.map(({ collection, study_uid }) => `${collection}/${study_uid}`)).size;
  return { name, detail: `${counted(studies, "study", "studies")} · ${framesOf(series)}` };
}

function ofStudy({ series }) {
  const modalities = [...new Set(series.map(({ modality }) => modality))].sort().join(", ");
  const days = series.map(({ study_date }) => study_date).filter(Boolean).sort();
  return { name: `${days[0] ?? "No date"} · ${modalities}`, detail: `${series.length} series · ${framesOf(series)}` };
}

function ofSeries({ series: [one] }) {
  const { modality, body_part, study_date, label, series_uid } = one;
  const end = `…${series_uid.slice(-UID_END).replace(/^\.+/, "")}`;
  return {
    name: [modality, body_part].filter(Boolean).join(" "),
    detail: [plural(one.frames, "frame"), study_date, label, end].filter(Boolean).join(" · "),
  };
}

const framesOf = (series) => plural(series.reduce((sum, { frames }) => sum + frames, 0), "frame");
const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
