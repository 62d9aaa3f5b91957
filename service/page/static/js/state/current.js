// The state of the page as its address tells it.

import { NOTHING, searchFor } from "./address.js";

/** What is open; null for a file of this computer, which has no address, and while a first image is on its way. */
export function currentState({ viewer, reading, compare }) {
  const { shown } = viewer;
  if (!shown) return viewer.isWaiting ? null : NOTHING;
  const { identity } = shown;
  if (identity.file) return null;
  return {
    study: identity.study_uid,
    series: identity.series_uid,
    collection: identity.collection,
    instance: identity.sop_instance_uid,
    frame: identity.frame_number,
    regions: viewer.regions.map(({ box }) => box),
    window: viewer.chosenWindow,
    search: reading.query && searchFor(reading.query, reading.options),
    beside: compare.beside,
  };
}
