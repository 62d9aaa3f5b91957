// Display windows from the values of an image, for values whose units say nothing.

const windows = new WeakMap(); // by frame, which never changes; then by percentiles

/** The window from one percentile of a frame's values to another, padding left out: [centre, width]. */
export function windowBetween(frame, low, high) {
  if (!windows.has(frame)) windows.set(frame, new Map());
  const known = windows.get(frame);
  const key = `${low} ${high}`;
  if (!known.has(key)) known.set(key, found(frame, low, high));
  return known.get(key);
}

function found(frame, low, high) {
  const ends = percentiles(frame, [low, high]);
  const [from, to] = frame.units === "presentation" ? ends.map((value) => value * 100) : ends;
  return Object.freeze([(from + to + 1) / 2, to - from + 1]);
}

/** The least values that so many percent of the values do not exceed; 0 where all is padding. */
export function percentiles(frame, percents) {
  const { least, slope, intercept } = frame;
  const counts = countsOf(frame);
  const counted = counts.reduce((sum, count) => sum + count, 0);
  const rising = slope < 0 ? counts.toReversed() : counts;
  return percents.map((percent) => {
    const place = placeOf(rising, Math.max(1, Math.ceil((counted * percent) / 100)));
    const stored = least + (slope < 0 ? counts.length - 1 - place : place);
    return counted ? stored * slope + intercept : 0;
  });
}

/** How often each stored value occurs, from the least on; padding does not. */
function countsOf(frame) {
  const { least, most, values } = frame;
  const counts = new Uint32Array(most - least + 1);
  for (const stored of values) counts[stored - least] += 1;
  return counts.map((count, place) => (frame.isPadding(least + place) ? 0 : count));
}

/** The first place up to which so many are counted. */
function placeOf(counts, wanted) {
  let seen = 0;
  return counts.findIndex((count) => (seen += count) >= wanted);
}
