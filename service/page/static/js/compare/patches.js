// Places of two images at equal millimetres, as greys, and their difference.

export const SIDE = 192;
/** Beyond the image. */
const NOTHING = -1;

/** The part of a frame around a box: `size` is its larger side in mm, or in pixels where the spacing is not known. */
export function placeOf(frame, box) {
  const { x, y, width, height } = box ?? { x: 0, y: 0, width: frame.columns, height: frame.rows };
  const [rowMm, columnMm] = frame.spacing ?? [1, 1];
  return { x: x + width / 2, y: y + height / 2, size: Math.max(width * columnMm, height * rowMm), rowMm, columnMm };
}

/**
 * Greys of a square of `size` mm around a place, SIDE x SIDE, row by row; -1 beyond the image.
 *
 * `shades` are the frame's greys by stored value.
 */
export function patchOf(frame, shades, { x, y, rowMm, columnMm }, size) {
  const patch = new Int16Array(SIDE * SIDE);
  const step = size / SIDE;
  for (let i = 0; i < patch.length; i += 1) {
    const across = (((i % SIDE) + 0.5 - SIDE / 2) * step) / columnMm;
    const down = ((Math.floor(i / SIDE) + 0.5 - SIDE / 2) * step) / rowMm;
    patch[i] = greyAt(frame, shades, x + across, y + down);
  }
  return patch;
}

/** How far two patches differ, pixel by pixel, and on the mean, from 0 to 1; null where they do not overlap. */
export function differenceOf(one, other) {
  let [sum, count] = [0, 0];
  const patch = one.map((grey, i) => {
    if (grey === NOTHING || other[i] === NOTHING) return NOTHING;
    const difference = Math.abs(grey - other[i]);
    sum += difference;
    count += 1;
    return difference;
  });
  return { patch, mean: count ? sum / count / 255 : null };
}

/** The grey at an image point, between the four pixels around it. */
function greyAt(frame, shades, x, y) {
  const { rows, columns } = frame;
  if (x < 0 || y < 0 || x >= columns || y >= rows) return NOTHING;
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [right, below] = [x - 0.5 - left, y - 0.5 - top];
  const grey = (column, row) => greyOf(frame, shades, clamp(column, columns), clamp(row, rows));
  const mix = (a, b, share) => a + (b - a) * share;
  const upper = mix(grey(left, top), grey(left + 1, top), right);
  return Math.round(mix(upper, mix(grey(left, top + 1), grey(left + 1, top + 1), right), below));
}

function greyOf({ values, columns, coloured }, shades, column, row) {
  const place = row * columns + column;
  if (!coloured) return shades[values[place] & 0xffff];
  return (shades[values[3 * place]] + shades[values[3 * place + 1]] + shades[values[3 * place + 2]]) / 3;
}

const clamp = (value, length) => Math.min(length - 1, Math.max(0, value));
