// Bringing the page into a state: the search first, for what is open may be one of its hits.

import { NOTHING, partsOf, searchFor } from "./address.js";
import { launched } from "./launch.js";

/**
 * Open what a state names. `step` runs one step of it, and rejects once the reader has gone elsewhere.
 */
export async function restore(state, app, step) {
  const { reading, hits, viewer, compare } = app;
  if (!state.search) {
    if (reading.query) reading.forget();
  } else if (!isSearched(state.search, reading.query)) {
    const { instance, frame, boxes, options } = partsOf(state.search);
    await open({ ...NOTHING, collection: options.collection ?? null, instance, frame, regions: boxes }, app, step);
    await step(() => reading.searchAgain(options));
  }
  const hit = state.search ? hits.find(state.instance, state.frame) : undefined;
  hits.mark(hit);
  await open(state, app, step, hit && { found: hit.box });
  if (String(state.window) !== String(viewer.chosenWindow)) viewer.setWindow(state.window);
  const besideHit = state.search && state.beside && hits.find(state.beside.instance, state.beside.frame);
  await step(() => compare.restore(state.beside, besideHit));
}

async function open(state, { archive, reading }, step, what = { regions: state.regions.map((box) => ({ box })) }) {
  const opened = await step(() => launched(state, archive));
  if (!opened) return;
  const stack = await step(() => reading.stackOf(opened.series));
  await step(() => reading.openStack(stack, opened.itemIn(stack), what));
}

const isSearched = (search, query) =>
  Boolean(query) && JSON.stringify(search) === JSON.stringify(searchFor(query));
