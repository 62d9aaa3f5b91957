// What a row of the tree says, to the eye and to a screen reader.

import { plural } from "../dom.js";

const HANDLE_DIGITS = 6;
const UID_END = 8;

/** The words of a row: its `name`, and a `detail`, which is `brief` where there is little room. */
export function wordsOf(row) {
  return { patient: ofPatient, study: ofStudy, series: ofSeries }[row.kind](row);
}

function ofPatient({ series }) {
  const { patient } = series[0];
  const name = patient ? `Patient ${patient.slice(0, HANDLE_DIGITS)}` : "Without patient id";
  const studies = new Set(series.map(({ collection, study_uid }) => `${collection}/${study_uid}`)).size;
  const held = counted(studies, "study", "studies");
  return { name, detail: `${held}, ${framesOf(series)}`, brief: held };
}

function ofStudy({ series }) {
  const modalities = [...new Set(series.map(({ modality }) => modality))].sort().join(", ");
  const days = series.map(({ study_date }) => study_date).filter(Boolean).sort();
  const detail = `${series.length} series, ${framesOf(series)}`;
  return { name: `${days[0] ?? "No date"} ${modalities}`, detail, brief: String(series.length) };
}

function ofSeries({ series: [one], isInStudy }) {
  const { modality, body_part, series_description, study_date, label, series_uid, isReplaced } = one;
  const end = `…${series_uid.slice(-UID_END).replace(/^\.+/, "")}`;
  const frames = isReplaced ? "being replaced" : plural(one.frames, "frame");
  const detail = [frames, series_description, isInStudy ? null : study_date, label, end].filter(Boolean).join(" · ");
  return { name: [modality, body_part].filter(Boolean).join(" "), detail, brief: detail };
}

const framesOf = (series) => plural(series.reduce((sum, { frames }) => sum + frames, 0), "frame");
const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
