// What hits can be filtered by: the properties of the API, as values that a reader can choose.

import { ageBand, BAND_YEARS, bandOf, OLDEST, sexText } from "../persons.js";

const text = (name, title) => ({
  name,
  title,
  keyOf: (hit) => hit[name],
  textOf: (key) => key,
  conditionOf: (keys) => keys,
  keysOf: (condition) => [condition].flat(),
});

const SIDES = { L: "left", R: "right", B: "both sides", U: "unpaired" };

/**
 * Each facet has a `name` (that of the property), a `title`, `keyOf(hit)` (null where unknown), `textOf(key)`, and
 * `conditionOf(keys)`, the filter of the API, and `keysOf(condition)` back; one that `isSingle` has one key at a time.
 */
export const FACETS = [
  text("modality", "Modality"),
  text("body_part", "Body part"),
  text("series_description", "Series description"),
  text("label", "Label"),
  text("collection", "Collection"),
  { ...text("sex", "Sex"), textOf: sexText },
  {
    name: "age_years",
    title: "Age",
    isSingle: true,
    keyOf: ({ age_years }) => (age_years === null ? null : String(bandOf(age_years))),
    textOf: (key) => ageBand(Number(key)),
    conditionOf: ([key]) => (Number(key) === OLDEST ? { min: OLDEST } : { min: Number(key), max: Number(key) + BAND_YEARS - 1 }),
    keysOf: ({ min }) => [String(min)],
  },
  {
    name: "study_date",
    title: "Year",
    isSingle: true,
    keyOf: ({ study_date }) => study_date?.slice(0, 4) ?? null,
    textOf: (key) => key,
    conditionOf: ([key]) => ({ from: `${key}-01-01`, to: `${key}-12-31` }),
    keysOf: ({ from }) => [String(from).slice(0, 4)],
  },
  {
    name: "contrast",
    title: "Contrast agent",
    isSingle: true,
    keyOf: ({ contrast }) => (contrast === null ? null : String(contrast)),
    textOf: (key) => (key === "true" ? "with contrast" : "without contrast"),
    conditionOf: ([key]) => key === "true",
    keysOf: (condition) => [String(condition)],
  },
  {
    name: "slice_thickness_mm",
    title: "Slice thickness",
    isSingle: true,
    keyOf: ({ slice_thickness_mm }) => (slice_thickness_mm === null ? null : String(slice_thickness_mm)),
    textOf: (key) => `${key} mm`,
    conditionOf: ([key]) => ({ min: Number(key), max: Number(key) }),
    keysOf: ({ min }) => [String(min)],
  },
  text("convolution_kernel", "Kernel"),
  text("view_position", "View"),
  { ...text("laterality", "Side"), textOf: (key) => SIDES[key] ?? key },
  text("manufacturer", "Manufacturer"),
].map((facet) => Object.freeze(facet.name === "collection" ? { ...facet, isSingle: true } : facet));

export const facetOf = (name) => FACETS.find((facet) => facet.name === name);

/** How often each value of a facet occurs among some rows, the most frequent first: [[key, count], …]. */
export function counted(facet, rows) {
  const counts = new Map();
  for (const row of rows) {
    const key = facet.keyOf(row) ?? null;
    if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort(([a, more], [b, fewer]) => fewer - more || a.localeCompare(b, undefined, { numeric: true }));
}

/** Chosen keys by facet as the API's `filters` and `collection`; nothing where nothing is chosen. */
export function filtersOf(chosen) {
  const { collection, ...others } = Object.fromEntries(Object.entries(chosen).filter(([, keys]) => keys.length));
  const filters = Object.entries(others).map(([name, keys]) => [name, facetOf(name).conditionOf(keys)]);
  return {
    ...(filters.length ? { filters: Object.fromEntries(filters) } : {}),
    ...(collection ? { collection: collection[0] } : {}),
  };
}

/** What is chosen where filters and a collection of the API are given; conditions that no keys stand for are left out. */
export function chosenOf({ filters = {}, collection }) {
  const keys = Object.entries(filters).flatMap(([name, condition]) => {
    const found = facetOf(name)?.keysOf(condition) ?? [];
    const isWhole = found.length > 0 && same(facetOf(name).conditionOf(found), condition);
    return isWhole ? [[name, found]] : [];
  });
  return { ...Object.fromEntries(keys), ...(collection ? { collection: [collection] } : {}) };
}

/** Whether two conditions are the same; one value is as good as a list of it. */
export const same = (a, b) => JSON.stringify([a].flat()) === JSON.stringify([b].flat());

/** What is chosen once a key was clicked: it comes or goes; where one alone can be chosen, it takes the other's place. */
export function toggled(chosen, name, key) {
  const keys = chosen[name] ?? [];
  if (keys.includes(key)) return { ...chosen, [name]: keys.filter((other) => other !== key) };
  return { ...chosen, [name]: facetOf(name).isSingle ? [key] : [...keys, key] };
}
