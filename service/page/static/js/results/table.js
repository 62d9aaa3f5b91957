// Hits as a table and as JSON: what the answer tells, UIDs and properties, no names and no patient ids.

const COLUMNS = [
  "rank",
  "distance",
  "bits",
  "study_uid",
  "series_uid",
  "sop_instance_uid",
  "frame_number",
  "instance_number",
  "collection",
  "modality",
  "body_part",
  "sex",
  "age_years",
  "study_date",
  "manufacturer",
  "label",
  "convolution_kernel",
  "slice_thickness_mm",
  "contrast",
  "view_position",
  "laterality",
  "series_description",
];
const BOX = ["x", "y", "width", "height"];

/** A cell as RFC 4180 has it; a text that a spreadsheet would take for a formula begins with an apostrophe. */
function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hits as CSV with a header. */
export function csvOf(hits, verdictOf = () => null) {
  const header = [...COLUMNS, ...BOX.map((name) => `box_${name}`), "verdict", "model"];
  const rows = hits.map((hit) => [
    ...COLUMNS.map((name) => hit[name]),
    ...BOX.map((name) => hit.box[name]),
    verdictOf(hit),
    hit.model,
  ]);
  return [header, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Query, options and hits as JSON. Of a file of this computer, not even the name is told. */
export function jsonOf(query, options, answer, hits, verdictOf = () => null) {
  const { file, ...named } = query.identity;
  const told = {
    note: "For research; not a diagnosis",
    query: { ...named, file: Boolean(file), ...answer.query },
    options,
    model: answer.model,
    mode: answer.mode,
    bits: answer.bits,
    refined: answer.refined,
    search: answer.search,
    searched_frames: answer.searched_frames,
    hits: hits.map((hit) => ({ ...hit, verdict: verdictOf(hit) })),
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}
