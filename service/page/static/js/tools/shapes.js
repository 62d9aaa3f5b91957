// Outlines in image points: [x, y] pairs, closed from the last to the first; pixel i covers [i, i + 1).

/** Points of an ellipse: enough to look round, few enough to be sent. */
const ELLIPSE_POINTS = 48;
const round = (value) => Math.round(value * 100) / 100;

/** The ellipse that fills a box. */
export function ellipseIn({ x, y, width, height }) {
  return Array.from({ length: ELLIPSE_POINTS }, (_, i) => {
    const angle = (2 * Math.PI * i) / ELLIPSE_POINTS;
    return [round(x + (width / 2) * (1 + Math.cos(angle))), round(y + (height / 2) * (1 + Math.sin(angle)))];
  });
}

/** The least box around some points. */
export function boxAround(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: round(Math.max(...xs) - x), height: round(Math.max(...ys) - y) };
}

/** Points moved into the image where they lie outside. */
export const inside = (points, columns, rows) =>
  points.map(([x, y]) => [round(Math.min(columns, Math.max(0, x))), round(Math.min(rows, Math.max(0, y)))]);

/** The same outline in another box. */
export function outlineIn(outline, from, to) {
  const [across, down] = [to.width / from.width, to.height / from.height];
  return outline.map(([x, y]) => [round(to.x + (x - from.x) * across), round(to.y + (y - from.y) * down)]);
}

/** The area that an outline encloses, in square pixels, by Gauss's formula. */
export function areaOf(points) {
  let twice = 0;
  points.forEach(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}

/**
 * A line with fewer points, none of which is missed by more than `tolerance` (Douglas and Peucker, 1973); the
 * tolerance grows until no more than `most` are left.
 */
export function simplified(points, tolerance, most) {
  const kept = [...simplify(points, tolerance), points.at(-1)];
  return kept.length > most ? simplified(points, tolerance * 1.5, most) : kept;
}

/** The kept points but the last. */
function simplify(points, tolerance) {
  const [first, last] = [points[0], points.at(-1)];
  let [farthest, distance] = [0, tolerance];
  for (let i = 1; i < points.length - 1; i += 1) {
    const away = distanceTo(points[i], first, last);
    if (away > distance) [farthest, distance] = [i, away];
  }
  if (!farthest) return [first];
  return [...simplify(points.slice(0, farthest + 1), tolerance), ...simplify(points.slice(farthest), tolerance)];
}

function distanceTo([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}
