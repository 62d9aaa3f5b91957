// The value of the pixel under the pointer, in words.

import { write } from "../dom.js";
import { valueText } from "../tools/measurements.js";

export function showValue({ shown }, { at }, element) {
  write(element, shown?.frame && at ? textAt(shown.frame, at) : "");
}

/** Column and row of a pixel, from 1, and its value; nothing outside the image. */
export function textAt(frame, { x, y }) {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column < 0 || row < 0 || column >= frame.columns || row >= frame.rows) return "";
  const value = frame.coloured ? "" : valueText(frame, frame.valueAt(x, y)) || "padding";
  return `Column ${column + 1}, row ${row + 1}${value ? `: ${value}` : ""}`;
}
