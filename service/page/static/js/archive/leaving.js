// Taking off the screen what is about to go from the archive: no image, hit or search of it stays beside what is true by then.

/** Close what is open of series of which `isGone`, and give up the search whose query is of them. */
export function leave({ viewer, reading, compare, archive }, isGone) {
  if (isOf(compare.viewer, isGone)) compare.close();
  if (reading.query && isGone(reading.query.stack.series ?? {})) reading.forget();
  if (!isOf(viewer, isGone)) return;
  viewer.close();
  archive.mark(null);
}

/** Search again where hits are of what is gone. */
export async function searchWithout({ reading, hits }, isGone) {
  await reading.ended();
  if (hits.shown.some(isGone)) await reading.searchAgain(reading.options);
}

const isOf = ({ stack }, isGone) => Boolean(stack?.series && isGone(stack.series));
