// How is searched, and among what: what a reader has chosen, and the same in the form of the API.

import { chosenOf, filtersOf, same } from "./facets.js";

const USUAL_HITS = 10;
const MOST_HITS = 1000;
const MOST_PLACES = 100;

/**
 * Events: `change`, when something else is asked for; `taken`, when a search was made with other options.
 *
 * `among` is "others" (other patients), "all" or "series" (that of the query alone); `group` is "patient", "study",
 * "series", "place" or "" (every image); `search` is "exact", "fast" or "" (as the server decides); `chosen` has the keys
 * of filters by the names of facets.
 */
export class Asking extends EventTarget {
  #state = Object.freeze({ among: "others", group: "patient", search: "", chosen: Object.freeze({}), mode: "", count: USUAL_HITS });

  get state() {
    return this.#state;
  }

  /** Change a part of the state; `isQuiet` tells nobody, for what the next search is soon enough to know. */
  change(part, { isQuiet = false } = {}) {
    this.#state = Object.freeze({ ...this.#state, ...part });
    if (!isQuiet) this.dispatchEvent(new Event("change"));
  }

  /** A file is of no series of the archive: all images are searched, and the controls say so. */
  suit({ stack }) {
    if (this.#state.among !== "series" || stack?.series) return;
    this.change({ among: "all" }, { isQuiet: true });
    this.dispatchEvent(new Event("taken"));
  }

  /** Searches are exact from now on. */
  compareAll() {
    this.change({ search: "exact" }, { isQuiet: true });
    this.dispatchEvent(new Event("taken"));
  }

  /** Show the options of a search that was made elsewhere, as far as the controls have them. */
  take({ mode = "", k = USUAL_HITS, group_by = "", search = "", only, exclude, ...filters }) {
    const among = only ? "series" : exclude?.same ? "others" : "all";
    const group = among === "series" ? this.#state.group : group_by;
    this.change({ mode, count: k, among, group, search, chosen: Object.freeze(chosenOf(filters)) }, { isQuiet: true });
    this.dispatchEvent(new Event("taken"));
  }

  /**
   * The fields of a search for a query: one of the archive, or of a file, with regions or without.
   *
   * `least` is how many hits are asked for at least: as many as are shown already.
   */
  options({ stack, regions }, least = 0) {
    const { among, chosen, mode, count, search } = this.#state;
    const group = this.#groupOf(stack, regions);
    return {
      ...(mode ? { mode } : {}),
      k: Math.min(mostOf(group), Math.max(count, least)),
      ...(group ? { group_by: group } : {}),
      ...filtersOf(chosen),
      ...(isOwnSeries(among, stack) ? { only: { series_uids: [stack.series.series_uid] } } : {}),
      ...(among === "others" ? { exclude: { same: "patient" } } : {}),
      ...(search ? { search } : {}),
    };
  }

  /**
   * The parts in which a search for a query was another one than the controls say: an address may ask for what they do
   * not have, and one that is asked for may fail. Mode and number of hits wait for the next search.
   */
  differing(query, options) {
    const [used, own] = [conditionsOf(options), conditionsOf(this.options(query))];
    // That nobody knows the patient is told elsewhere.
    const isWider = same(used.exclude, { same: "study" }) && same(own.exclude, { same: "patient" });
    const names = Object.keys({ ...used, ...own }).filter((name) => !same(used[name], own[name]));
    return names.filter((name) => name !== "exclude" || !isWider);
  }

  /** Places are of regions; all images of one series are of one patient, who would be one hit. */
  #groupOf(stack, regions) {
    const { among, group } = this.#state;
    if (group === "place") return regions.length ? group : "series";
    return isOwnSeries(among, stack) ? "" : group;
  }
}

const conditionsOf = ({ k: _k, mode: _mode, relevant: _relevant, not_relevant: _others, filters = {}, ...conditions }) => ({
  ...conditions,
  ...filters,
});

const mostOf = (group) => (group === "place" ? MOST_PLACES : MOST_HITS);
const isOwnSeries = (among, stack) => among === "series" && Boolean(stack.series);

/** The fields for the first hits of a search, which can be gone on with up to as many as the server gives. */
export const firstPage = ({ k = USUAL_HITS, ...options }) => ({ ...options, k: mostOf(options.group_by), limit: k });

/** How many hits the search for the first ones ranked: one more than it showed, to know whether others follow. */
export const rankedBy = ({ k = USUAL_HITS, group_by }) => Math.min(mostOf(group_by), k + 1);

/** The fields for some hits that follow an answer, of the same state of the archive. */
export const nextPage = (options, { next }, count) => ({ ...firstPage(options), limit: count, cursor: next });

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
