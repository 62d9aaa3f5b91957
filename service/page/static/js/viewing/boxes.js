// Boxes in image points: drawn, moved, and told in words.

/** The rectangle between two image points, clipped to the image; null if it has less than a pixel. */
export function boxBetween(a, b, columns, rows) {
  const clip = (value, limit) => Math.min(limit, Math.max(0, value));
  const round = (value) => Math.round(value * 100) / 100;
  const x = round(clip(Math.min(a.x, b.x), columns));
  const y = round(clip(Math.min(a.y, b.y), rows));
  const width = Math.floor((clip(Math.max(a.x, b.x), columns) - x) * 100) / 100;
  const height = Math.floor((clip(Math.max(a.y, b.y), rows) - y) * 100) / 100;
  return width >= 1 && height >= 1 ? { x, y, width, height } : null;
}

/** Move or resize a box by whole pixels, inside the image. */
export function shiftBox(box, dx, dy, dWidth, dHeight, columns, rows) {
  const width = Math.min(columns, Math.max(1, box.width + dWidth));
  const height = Math.min(rows, Math.max(1, box.height + dHeight));
  const x = Math.min(columns - width, Math.max(0, box.x + dx));
  const y = Math.min(rows - height, Math.max(0, box.y + dy));
  return { x, y, width, height };
}

/** Say how large a box is; `spacing` is mm between rows, between columns, null where unknown. */
export function describeBox(box, spacing) {
  const pixels = `${box.width.toFixed(0)} × ${box.height.toFixed(0)} px`;
  if (!spacing) return `${pixels} (size in mm unknown)`;
  return `${(box.width * spacing[1]).toFixed(1)} × ${(box.height * spacing[0]).toFixed(1)} mm (${pixels})`;
}
