// Bringing the page into a state: the search first, for what is open may be one of its hits.

import { NOTHING, partsOf, searchFor } from "./address.js";
import { launched } from "./launch.js";
import { setView, viewOf, viewText } from "./view.js";

/**
 * Open what a state names. `step` runs one step of it, and rejects once the reader has gone elsewhere.
 */
export async function restore(state, app, step) {
  const { reading, hits, viewer, compare } = app;
  // One that goes on would bring its hits later, in place of those of the state.
  await step(() => reading.ended());
  if (!state.search) {
    if (reading.query) reading.forget();
  } else if (!isSearched(state, reading)) {
    const { instance, frame, regions, options } = partsOf(state.search);
    const collection = queryCollection(state);
    await open({ ...NOTHING, collection, instance, frame }, app, step, { regions });
    await step(() => reading.searchAs(options));
  }
  const hit = state.search ? hits.find(frameOf(state)) : undefined;
  hits.markOpen(hit);
  await open(state, app, step, { found: hit && !state.regions.length ? reading.placeIn(hit) : null });
  if (String(viewText(state.view)) !== String(viewText(viewOf(viewer)))) setView(viewer, state.view);
  if (String(state.window) !== String(viewer.chosenWindow)) viewer.setWindow(state.window);
  const besideHit = state.search && state.beside && hits.find(frameOf(state.beside));
  await step(() => compare.restore(state.beside, besideHit));
}

async function open(state, { archive, reading, viewer }, step, what) {
  const opened = await step(() => launched(state, archive));
  if (!opened) return;
  const stack = await step(() => reading.stackOf(opened.series));
  const item = opened.itemIn(stack);
  await step(() => reading.openStack(stack, item, { regions: regionsFor(state.regions, viewer.regionsOf(item)), ...what }));
}

/** Boxes of an address as regions: those that are drawn there already may be outlines, of which an address has boxes alone. */
function regionsFor(boxes, drawn) {
  const isSame = JSON.stringify(drawn.map(({ box }) => box)) === JSON.stringify(boxes);
  return isSame ? drawn : boxes.map((box) => ({ box }));
}

const frameOf = ({ instance, frame, collection }) => ({ sop_instance_uid: instance, frame_number: frame, collection });

/** Where the image that was searched with is; null where the state does not say it. The search's own is that of its hits. */
const queryCollection = ({ search, queryCollection: named, instance, collection }) =>
  named ?? (search.sop_instance_uid === instance ? collection : null);

function isSearched(state, { query, options }) {
  if (!query || JSON.stringify(state.search) !== JSON.stringify(searchFor(query, options))) return false;
  const collection = queryCollection(state);
  return !collection || collection === query.identity.collection;
}
