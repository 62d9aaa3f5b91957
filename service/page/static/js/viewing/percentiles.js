// Display windows from the values of an image, for values whose units say nothing.

const counts = new WeakMap();

/** The window from one percentile of a frame's values to another, padding left out: [centre, width, units]. */
export function windowBetween(frame, low, high) {
  const ends = [percentile(frame, low), percentile(frame, high)];
  const [from, to] = frame.units === "presentation" ? ends.map((value) => value * 100) : ends;
  return [(from + to + 1) / 2, to - from + 1, frame.units];
}

/** The least value that so many percent of the values do not exceed. */
export function percentile(frame, percent) {
  const { values, counted } = countsOf(frame);
  const wanted = Math.max(1, Math.ceil((counted * percent) / 100));
  let seen = 0;
  for (const [value, count] of values) {
    seen += count;
    if (seen >= wanted) return value;
  }
  return 0;
}

/** How often each value occurs, in order of value; the frame never changes, so that it is counted once. */
function countsOf(frame) {
  if (!counts.has(frame)) counts.set(frame, count(frame));
  return counts.get(frame);
}

function count(frame) {
  const { least, most, slope, intercept } = frame;
  const bins = new Uint32Array(most - least + 1);
  for (const stored of frame.values) bins[stored - least] += 1;
  const values = [];
  let counted = 0;
  bins.forEach((number, place) => {
    const stored = least + place;
    if (!number || frame.isPadding(stored)) return;
    values.push([stored * slope + intercept, number]);
    counted += number;
  });
  return { values: slope < 0 ? values.reverse() : values, counted };
}
