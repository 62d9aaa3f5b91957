// Letters at the picture's edges: which side of the patient lies there, as the picture is turned and flipped.

import { write } from "../dom.js";

/** PS3.3 C.7.6.1.1.1: left, right, anterior, posterior, head, foot. */
const OPPOSITE = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };

/** The other end of a direction such as "L" or "AR". */
export const opposite = (letters) => [...letters].map((letter) => OPPOSITE[letter] ?? "").join("");

/**
 * The letters at {left, right, top, bottom}.
 *
 * `directions` say where rows lead (to the right of the stored image) and columns (down); `matrix` takes image points to
 * the canvas. Null where the directions are not known.
 */
export function edgesOf(directions, [a, b, c, d]) {
  if (!directions) return null;
  const [alongRow, alongColumn] = directions;
  const edges = {};
  for (const [letters, x, y] of [[alongRow, a, b], [alongColumn, c, d]]) {
    const [from, to] = Math.abs(x) > Math.abs(y) ? ["left", "right"] : ["top", "bottom"];
    const isForward = Math.abs(x) > Math.abs(y) ? x > 0 : y > 0;
    edges[isForward ? to : from] = letters;
    edges[isForward ? from : to] = opposite(letters);
  }
  return edges;
}

/** Write the letters of a viewer's picture into elements at {left, right, top, bottom}. */
export function showLetters({ shown, placement }, elements) {
  const letters = shown?.frame ? edgesOf(shown.frame.directions, placement.matrix) : null;
  for (const [edge, element] of Object.entries(elements)) write(element, letters?.[edge] ?? "");
}
