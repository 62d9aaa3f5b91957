// The state of the page as its address tells it.

import { NOTHING, searchFor } from "./address.js";
import { viewOf } from "./view.js";

/** What is open; null for a file of this computer, which has no address, and while a first image is on its way. */
export function currentState({ viewer, reading, compare }) {
  const { shown } = viewer;
  if (!shown) return viewer.isWaiting ? null : NOTHING;
  const { identity } = shown;
  if (identity.file) return null;
  const { query, options } = reading;
  const search = query && searchFor(query, options);
  return {
    ...named(identity),
    regions: viewer.regions.map(({ box }) => box),
    window: viewer.chosenWindow,
    view: viewOf(viewer),
    search,
    queryCollection: search && query.item !== shown.item ? query.identity.collection : null,
    beside: compare.beside,
  };
}

/** The state that brings back the last search, with its own image open, whatever is on the screen; null without one. */
export function searchState({ viewer, reading }) {
  const { query, options } = reading;
  const search = query && searchFor(query, options);
  if (!search) return null;
  return { ...NOTHING, ...named(query.identity), regions: query.regions.map(({ box }) => box), window: viewer.chosenWindow, search };
}

const named = ({ study_uid, series_uid, collection, sop_instance_uid, frame_number }) => ({
  study: study_uid,
  series: series_uid,
  collection,
  instance: sop_instance_uid,
  frame: frame_number,
});
