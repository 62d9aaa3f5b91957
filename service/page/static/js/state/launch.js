// What the address of the page names: a study, a series, an instance, a frame of it, a region.

import { Problem, readInstance } from "../api.js";

/** Show what the archive holds, and open what the address names. */
export function installLaunch({ archive, reading, guarded }) {
  guarded(async () => {
    await archive.refresh();
    const opened = await launched(new URLSearchParams(location.search), archive);
    if (!opened) return;
    const regions = opened.box ? [{ box: opened.box }] : undefined;
    await reading.openSeries(opened.series, opened.itemIn, { regions });
  });
}

/**
 * Find what an address names in the archive; null where it names nothing.
 *
 * Returns the series, the item of its stack, and the box to draw.
 */
export async function launched(query, archive, read = readInstance) {
  const [study, series, instance] = ["study", "series", "instance"].map((name) => query.get(name));
  if (!study && !series && !instance) return null;
  const frame = Number(query.get("frame") ?? 1);
  const found = instance ? await seriesOf(instance, archive, read) : archive.series.find(isNamed(study, series));
  if (!found || !isNamed(study, series)(found)) throw gone();
  return {
    series: found,
    box: boxOf(query.get("region")),
    itemIn(stack) {
      const item = instance ? stack.find(instance, frame) : stack.middle;
      if (!item) throw gone();
      return item;
    },
  };
}

const isNamed = (study, series) => (one) =>
  (!study || one.study_uid === study) && (!series || one.series_uid === series);

async function seriesOf(instance, archive, read) {
  const { collection, frames } = await read(instance);
  return archive.find(frames[0].series_uid, collection);
}

function boxOf(text) {
  const numbers = text?.split(",").map(Number) ?? [];
  if (numbers.length !== 4 || !numbers.every(Number.isFinite)) return null;
  const [x, y, width, height] = numbers;
  return { x, y, width, height };
}

const gone = () =>
  new Problem({
    title: "The image is not indexed",
    detail: "The address names what the archive does not hold, or not for this login.",
    remedy: "Index it first, or choose a series on the left.",
  });
