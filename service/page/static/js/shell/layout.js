// Widths of the panels beside the image, in CSS pixels: how wide each may be, and what was kept of them.

/** `sign` is 1 for a panel on the left, whose width grows to the right; `share` is of the width of all panels. */
export const SIDES = {
  archive: { sign: 1, least: 180, share: 0.3 },
  hits: { sign: -1, least: 260, share: 0.4 },
};

const STEP = 24;

/** The least and the largest width of a panel where all have `total`. */
export function bounds(name, total) {
  const { least, share } = SIDES[name];
  return [least, Math.max(least, Math.round(total * share))];
}

export function clamped(name, width, total) {
  const [least, most] = bounds(name, total);
  return Math.min(most, Math.max(least, Math.round(width)));
}

/** The width that a key on the splitter asks for; null where it asks for none. */
export function steered(name, key, width, total) {
  const { sign } = SIDES[name];
  const [least, most] = bounds(name, total);
  const wanted = { ArrowLeft: width - sign * STEP, ArrowRight: width + sign * STEP, Home: least, End: most }[key];
  return wanted === undefined ? null : clamped(name, wanted, total);
}

/** A layout from what was kept: `widths` that were chosen, and whether a panel is `hidden`. */
export function layoutOf(stored) {
  const layout = { widths: {}, hidden: {} };
  for (const name of Object.keys(SIDES)) {
    const width = stored?.widths?.[name];
    if (Number.isFinite(width) && width > 0) layout.widths[name] = width;
    layout.hidden[name] = stored?.hidden?.[name] === true;
  }
  return layout;
}
