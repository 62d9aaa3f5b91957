// What an address names, found in the archive.

import { Problem, readInstance } from "../api.js";

/**
 * Find what a state names in the archive; null where it names nothing.
 *
 * Returns the series, and the item of its stack.
 */
export async function launched({ study, series, collection, instance, frame }, archive, read = readInstance) {
  if (!study && !series && !instance) return null;
  const isNamed = (one) =>
    (!study || one.study_uid === study) &&
    (!series || one.series_uid === series) &&
    (!collection || one.collection === collection);
  const found = instance ? await seriesOf(instance, collection, archive, read) : archive.series.find(isNamed);
  if (!found || !isNamed(found)) throw gone();
  return {
    series: found,
    itemIn(stack) {
      const item = instance ? stack.find(instance, frame) : stack.middle;
      if (!item) throw gone();
      return item;
    },
  };
}

async function seriesOf(instance, wanted, archive, read) {
  const { collection, frames } = await read(instance, wanted).catch((problem) => {
    throw problem.status === 404 || problem.status === 403 ? gone() : problem;
  });
  return archive.find(frames[0].series_uid, collection);
}

const gone = () =>
  new Problem({
    title: "The image is not indexed",
    detail: "The address names what the archive does not hold, or not for this login.",
    remedy: "Ask whoever sent the link which collection it is of, log in with one that may see it, or choose a series on the left.",
  });
