// The display window that a reader has chosen, and what it is for an image.

import { windowBetween } from "./percentiles.js";

/** The units of a rule, which gives each image a window of its own. */
export const PERCENTILES = "percentiles";

/**
 * Centre and width for a frame; null where it is shown through its own window: in other units, and in colour.
 *
 * `chosen` is [centre, width, units], or the rule [low, high, "percentiles"], from one percentile of the values of whichever
 * image is shown to another; null is the file's own.
 */
export function windowFor(frame, chosen) {
  if (!chosen || frame.coloured) return null;
  const [from, to, units] = chosen;
  if (units === PERCENTILES) return frame.units === "HU" ? null : windowBetween(frame, from, to);
  return units === frame.units ? [from, to] : null;
}
