// Measurements belong to their image, as regions do, and are told in millimetres only where the spacing is known.

import { areaOf } from "./shapes.js";
import { statisticsIn } from "./statistics.js";

/** Event: `change`, of the measurements of an image. A measurement is {kind: "length" | "area", points}. */
export class Measurements extends EventTarget {
  #byItem = new Map();

  of(item) {
    return this.#byItem.get(item?.key) ?? [];
  }

  /** What was measured, by the keys of items, from what was changed first on. */
  get entries() {
    return [...this.#byItem];
  }

  set(item, measurements) {
    this.#byItem.delete(item.key);
    this.#byItem.set(item.key, measurements);
    this.dispatchEvent(new Event("change"));
  }
}

const told = new WeakMap();

/** Say what a measurement of an image is, in lines. */
export function linesOf(measurement, frame) {
  const known = told.get(measurement);
  if (known?.frame === frame) return known.lines;
  const lines = measurement.kind === "length" ? [lengthText(measurement.points, frame.spacing)] : areaLines(measurement.points, frame);
  told.set(measurement, { frame, lines });
  return lines;
}

/** The length of a line in mm, or in pixels where `spacing` (mm between rows, between columns) is unknown. */
export function lengthText([[ax, ay], [bx, by]], spacing) {
  const [down, across] = spacing ?? [1, 1];
  const length = Math.hypot((bx - ax) * across, (by - ay) * down).toFixed(1);
  return spacing ? `${length} mm` : `${length} px (size in mm unknown)`;
}

function areaLines(outline, frame) {
  const { spacing } = frame;
  const pixels = areaOf(outline);
  const area = spacing ? `${(pixels * spacing[0] * spacing[1]).toFixed(1)} mm²` : `${pixels.toFixed(0)} px (size in mm unknown)`;
  const values = statisticsIn(frame, outline);
  if (!values) return [area, "no values"];
  const { mean, sd, min, max } = values;
  return [area, `mean ${numberText(mean)}, SD ${numberText(sd)}${unitText(frame)}`, `${numberText(min)} to ${numberText(max)}`];
}

/** A value of a pixel in words; a stored value without units has none. */
export function valueText(frame, value) {
  if (value === null) return "";
  return numberText(frame.units === "presentation" ? value * 100 : value) + unitText(frame);
}

const unitText = ({ units }) => ({ HU: " HU", presentation: " %" })[units] ?? "";
const numberText = (value) => String(Math.abs(value) >= 10 || Number.isInteger(value) ? Number(value.toFixed(1)) : Number(value.toPrecision(3)));
