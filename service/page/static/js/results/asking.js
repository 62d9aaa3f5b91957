// How is searched, and among what: what a reader has chosen, and the same in the form of the API.

import { chosenOf, filtersOf } from "./facets.js";

const MOST_HITS = 1000;
const MOST_PLACES = 100;
/** Pages of hits that can be asked for, one after another. */
const PAGES = 10;

/**
 * Events: `change`, when something else is asked for; `taken`, when a search was made with other options.
 *
 * `among` is "others" (other patients), "all" or "series" (that of the query alone); `group` is "patient", "study",
 * "series", "place" or "" (every image); `chosen` has the keys of filters by the names of facets.
 */
export class Asking extends EventTarget {
  #state = Object.freeze({ among: "others", group: "patient", chosen: Object.freeze({}), mode: "", count: 10 });

  get state() {
    return this.#state;
  }

  /** Change a part of the state; `isQuiet` tells nobody, for what the next search is soon enough to know. */
  change(part, { isQuiet = false } = {}) {
    this.#state = Object.freeze({ ...this.#state, ...part });
    if (!isQuiet) this.dispatchEvent(new Event("change"));
  }

  /** Show the options of a search that was made elsewhere, as far as the controls have them. */
  take({ mode = "", k = 10, limit = k, group_by = "", only, exclude, ...filters }) {
    const among = only ? "series" : exclude?.same ? "others" : "all";
    const group = among === "series" ? this.#state.group : group_by;
    this.change({ mode, count: limit, among, group, chosen: Object.freeze(chosenOf(filters)) }, { isQuiet: true });
    this.dispatchEvent(new Event("taken"));
  }

  /** The fields of a search for a query: one of the archive, or of a file, with regions or without. */
  options({ stack, regions }) {
    const { among, chosen, mode, count } = this.#state;
    const group = this.#groupOf(stack, regions);
    return {
      ...(mode ? { mode } : {}),
      ...pages(count, group),
      ...(group ? { group_by: group } : {}),
      ...filtersOf(chosen),
      ...(isOwnSeries(among, stack) ? { only: { series_uids: [stack.series.series_uid] } } : {}),
      ...(among === "others" ? { exclude: { same: "patient" } } : {}),
    };
  }

  /** Places are of regions; all images of one series are of one patient, who would be one hit. */
  #groupOf(stack, regions) {
    const { among, group } = this.#state;
    if (group === "place") return regions.length ? group : "series";
    return isOwnSeries(among, stack) ? "" : group;
  }
}

const isOwnSeries = (among, stack) => among === "series" && Boolean(stack.series);

function pages(count, group) {
  const most = group === "place" ? MOST_PLACES : MOST_HITS;
  return { k: Math.min(most, count * PAGES), limit: Math.min(most, count) };
}

/**
 * Search without the query's own patient; where nobody knows who that is, without its study.
 *
 * Returns the answer, and the options that it is for.
 */
export async function searchedBy(search, options) {
  try {
    return { answer: await search(options), options };
  } catch (problem) {
    if (problem.status !== 422 || options.exclude?.same !== "patient") throw problem;
    const wider = { ...options, exclude: { ...options.exclude, same: "study" } };
    return { answer: await search(wider), options: wider };
  }
}
