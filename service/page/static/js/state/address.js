// The address of the page: what is open, what was searched for, and what lies beside it, as UIDs and settings.
//
// Other programs write such addresses too (docs/pacs.md), and people change them: whatever cannot be used is left out.

import { cornersOf } from "../api.js";
import { boxAround } from "../tools/shapes.js";
import { PERCENTILES } from "../viewing/display_window.js";
import { viewIn, viewText } from "./view.js";

const UID = /^[!-~]{1,64}$/;
const COLLECTION = /^[\w.-]{1,64}$/;
const UNITS = ["HU", "modality", "presentation"];
/** The server takes no longer one (service/models/launch.py). */
const MOST_SEARCH = 1500;

/** Nothing is open. */
export const NOTHING = Object.freeze({
  study: null,
  series: null,
  collection: null,
  instance: null,
  frame: 1,
  regions: [],
  window: null,
  view: null,
  search: null,
  /** The collection that holds the image searched with, where that is not what is open. */
  queryCollection: null,
  beside: null,
});

/** Write a state as the query of an address, "" for nothing; a search of more characters than an address takes is left out. */
export function encode(state, mostSearch = MOST_SEARCH) {
  const { study, series, collection, instance, frame, regions, window, view, search, queryCollection, beside } = { ...NOTHING, ...state };
  const boxes = regions.map((box) => cornersOf(box).join(","));
  const said = {
    study,
    series,
    collection,
    instance,
    frame: instance && frame !== 1 ? frame : null,
    [boxes.length > 1 ? "regions" : "region"]: boxes.join(";"),
    window: window?.join(","),
    view: viewText(view),
    search: fitting(search, mostSearch),
    query_collection: search && queryCollection,
    beside: beside?.instance,
    beside_collection: beside?.collection,
    beside_frame: beside && beside.frame !== 1 ? beside.frame : null,
  };
  const query = String(new URLSearchParams(Object.entries(said).filter(([, value]) => value)));
  return query && `?${query}`;
}

/** Read the query of an address. */
export function decode(query) {
  const params = new URLSearchParams(query);
  const uid = (name) => matching(UID, params.get(name));
  const collection = (name) => matching(COLLECTION, params.get(name));
  const beside = uid("beside");
  return {
    study: uid("study"),
    series: uid("series"),
    collection: collection("collection"),
    instance: uid("instance"),
    frame: frameOf(params.get("frame")),
    regions: boxesOf(params.get("regions") ?? params.get("region")),
    window: windowOf(params.get("window")),
    view: viewIn(params.get("view")),
    search: searchOf(params.get("search")),
    queryCollection: collection("query_collection"),
    beside: beside && { instance: beside, frame: frameOf(params.get("beside_frame")), collection: collection("beside_collection") },
  };
}

/** The search for a query of the archive, as the API takes it; null where a file of this computer was searched for. */
export function searchFor({ identity, regions }, options) {
  if (!identity.sop_instance_uid) return null;
  const { sop_instance_uid, frame_number } = identity;
  const all = regions.map(({ box, outline }) => cornersOf(outline ?? box));
  const asked = all.length > 1 ? { regions: all } : all.length ? { region: all[0] } : {};
  return { sop_instance_uid, frame_number, ...asked, ...options };
}

/** A search taken apart: the frame, the regions as the viewer has them, and the options. */
export function partsOf({ sop_instance_uid, frame_number = 1, region, regions, ...options }) {
  const drawn = (regions ?? (region ? [region] : [])).map(regionOf);
  return { instance: sop_instance_uid, frame: frame_number, regions: drawn, options };
}

/** The text of a search, null for one that is too long. */
function fitting(search, most) {
  const text = search && JSON.stringify(search);
  return text && text.length <= most ? text : null;
}

const matching = (pattern, text) => (typeof text === "string" && pattern.test(text) ? text : null);

function frameOf(text) {
  const frame = Number(text ?? 1);
  return Number.isSafeInteger(frame) && frame > 0 ? frame : 1;
}

function boxesOf(text) {
  const boxes = text?.split(";").map((part) => boxOf(part.split(",").map(Number))) ?? [];
  return boxes.every(Boolean) ? boxes : [];
}

/** A box of four numbers; null for anything else. */
function boxOf(numbers) {
  if (!Array.isArray(numbers) || numbers.length !== 4 || !numbers.every(Number.isFinite)) return null;
  const [x, y, width, height] = numbers;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/** A region of the API as the viewer has it: a box, or an outline and the box around it; null for anything else. */
function regionOf(value) {
  if (!Array.isArray(value?.[0])) {
    const box = boxOf(value);
    return box && { box };
  }
  const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
  return value.length > 2 && value.every(isPoint) ? { box: boxAround(value), outline: value, shape: "outline" } : null;
}

function windowOf(text) {
  const [first, second, units, ...more] = text?.split(",") ?? [];
  const numbers = [first, second].map(Number);
  const isUsable = numbers.every(Number.isFinite) && isWindow(...numbers, units) && !more.length;
  return isUsable ? [...numbers, units] : null;
}

function isWindow(first, second, units) {
  if (units === PERCENTILES) return first >= 0 && first < second && second <= 100;
  return second >= 1 && UNITS.includes(units);
}

function searchOf(text) {
  const parts = parsed(text);
  if (parts?.constructor !== Object || matching(UID, parts.sop_instance_uid) === null) return null;
  // The page shows hits from the first on, asks for more of them itself, and searches with the image that it shows.
  const { limit: _limit, cursor: _cursor, query_collection: _shown, ...search } = parts;
  const { frame, regions } = partsOf({ ...search, regions: listOf(search.regions) });
  return Number.isSafeInteger(frame) && frame > 0 && regions.every(Boolean) ? search : null;
}

const listOf = (value) => (value === undefined || Array.isArray(value) ? value : [value]);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
