// Bringing the page into a state: the search first, for what is open may be one of its hits.

import { NOTHING, partsOf, searchFor } from "./address.js";
import { launched } from "./launch.js";

/**
 * Open what a state names. `step` runs one step of it, and rejects once the reader has gone elsewhere.
 */
export async function restore(state, app, step) {
  const { reading, hits, viewer, compare } = app;
  // One that goes on would bring its hits later, in place of those of the state.
  await step(() => reading.ended());
  if (!state.search) {
    if (reading.query) reading.forget();
  } else if (!isSearched(state.search, reading)) {
    const { instance, frame, regions, options } = partsOf(state.search);
    // The collection of a search is that of its hits; its image may be of another.
    const collection = instance === state.instance ? state.collection : null;
    await open({ ...NOTHING, collection, instance, frame }, app, step, { regions });
    await step(() => reading.searchAs(options));
  }
  const hit = state.search ? hits.find(state.instance, state.frame) : undefined;
  hits.markOpen(hit);
  await open(state, app, step, { found: hit && !state.regions.length ? reading.placeIn(hit) : null });
  if (String(state.window) !== String(viewer.chosenWindow)) viewer.setWindow(state.window);
  const besideHit = state.search && state.beside && hits.find(state.beside.instance, state.beside.frame);
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

const isSearched = (search, { query, options }) =>
  Boolean(query) && JSON.stringify(search) === JSON.stringify(searchFor(query, options));
