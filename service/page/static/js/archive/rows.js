// Series as the rows of a tree: patients, their studies, their series.

/** How rows can be sorted; the names are the values of the control. */
const ORDERS = {
  newest: (a, b) => byDate(b, a, ""),
  oldest: (a, b) => byDate(a, b, "9999"),
  modality: (a, b) => compare(kindOf(a), kindOf(b)) || byDate(b, a, ""),
  uid: (a, b) => compare(a.series_uid, b.series_uid),
};

const haystacks = new WeakMap();

/** Return the series that have every word of a text in what is known of them. */
export function matching(series, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length ? series.filter((one) => words.every((word) => haystack(one).includes(word))) : series;
}

/**
 * Return series as rows, in the order in which they are shown.
 *
 * `group` is "patient" (patients, studies, series), "study" (studies, series) or "none"; a study of one series is one
 * row. Groups whose keys are in `closed` show nothing of what they hold. Each row has a `key`, a `kind`, its `level`
 * and place among its siblings (`position` of `count`), and the `series` that it stands for; `isInStudy`, where a row
 * above it tells its date.
 */
export function rowsOf(series, { order = "newest", group = "patient", closed = new Set() } = {}) {
  const sorted = [...series].sort(ORDERS[order]);
  const rows = [];
  if (group === "patient") addPatients(rows, sorted, closed);
  else if (group === "study") addStudies(rows, sorted, 1, closed);
  else addSeries(rows, sorted, 1);
  return rows;
}

/** The key of a series' own row. */
export const seriesKey = ({ collection, series_uid }) => `series ${collection}/${series_uid}`;

/** The keys of the groups that a series may be in. */
export const groupKeys = (series) => [patientKey(series), studyKey(series)];

const patientKey = ({ patient }) => `patient ${patient ?? ""}`;
const studyKey = ({ collection, study_uid }) => `study ${collection}/${study_uid}`;

function addPatients(rows, series, closed) {
  const patients = [...groupBy(series, patientKey)];
  patients.forEach(([key, members], at) => {
    const isOpen = !closed.has(key);
    rows.push({ kind: "patient", key, level: 1, position: at + 1, count: patients.length, series: members, isOpen });
    if (isOpen) addStudies(rows, members, 2, closed);
  });
}

function addStudies(rows, series, level, closed) {
  const studies = [...groupBy(series, studyKey)];
  studies.forEach(([key, members], at) => {
    const place = { level, position: at + 1, count: studies.length };
    if (members.length === 1) {
      rows.push({ kind: "series", key: seriesKey(members[0]), ...place, series: members });
      return;
    }
    const isOpen = !closed.has(key);
    rows.push({ kind: "study", key, ...place, series: members, isOpen });
    if (isOpen) addSeries(rows, members, level + 1, true);
  });
}

function addSeries(rows, series, level, isInStudy = false) {
  series.forEach((one, at) => {
    const place = { level, position: at + 1, count: series.length, isInStudy };
    rows.push({ kind: "series", key: seriesKey(one), ...place, series: [one] });
  });
}

function groupBy(series, keyOf) {
  const groups = new Map();
  for (const one of series) {
    const key = keyOf(one);
    if (groups.has(key)) groups.get(key).push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function haystack(series) {
  if (!haystacks.has(series)) {
    const { modality, body_part, series_description, study_date, collection, label, patient } = series;
    const { study_uid, series_uid } = series;
    const known = [modality, body_part, series_description, study_date, collection, label, patient, study_uid, series_uid];
    haystacks.set(series, known.filter(Boolean).join("\n").toLowerCase());
  }
  return haystacks.get(series);
}

const compare = (a, b) => (a < b ? -1 : Number(a > b));
const kindOf = ({ modality, body_part }) => `${modality} ${body_part ?? ""}`;
const byDate = (a, b, unknown) => compare(a.study_date ?? unknown, b.study_date ?? unknown);
