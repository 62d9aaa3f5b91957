import assert from "node:assert/strict";
import { test } from "node:test";

import { areaOf, boxAround, ellipseIn, inside, outlineIn, simplified } from "../../../service/page/static/js/tools/shapes.js";

const SQUARE = [[10, 20], [30, 20], [30, 60], [10, 60]];

test("an ellipse fills its box", () => {
  const box = { x: 10, y: 20, width: 30, height: 50 };
  const points = ellipseIn(box);
  assert.deepEqual(boxAround(points), box);
  // A polygon of 48 corners has a little less than the ellipse: sin(2π/48) / (2π/48) of it.
  assert.ok(Math.abs(areaOf(points) / (Math.PI * 15 * 25) - 0.9971) < 0.001);
});

test("the area of an outline is that of its shape, whichever way it goes round", () => {
  assert.equal(areaOf(SQUARE), 800);
  assert.equal(areaOf([...SQUARE].reverse()), 800);
  assert.equal(areaOf([[0, 0], [4, 0], [0, 3]]), 6);
});

test("an outline is moved and stretched with its box", () => {
  const to = { x: 0, y: 0, width: 40, height: 20 };
  assert.deepEqual(outlineIn(SQUARE, boxAround(SQUARE), to), [[0, 0], [40, 0], [40, 20], [0, 20]]);
});

test("points outside the image are moved to its edge", () => {
  assert.deepEqual(inside([[-3, 5], [12.345, 99]], 50, 60), [[0, 5], [12.35, 60]]);
});

test("points along a straight line go, corners stay", () => {
  const line = [[0, 0], [1, 0.1], [2, 0], [3, 0], [3, 1], [3.1, 2], [3, 3]];
  assert.deepEqual(simplified(line, 0.5, 100), [[0, 0], [3, 0], [3, 3]]);
});

test("a line has no more points than may be sent, and none of its own is far from it", () => {
  const circle = Array.from({ length: 2000 }, (_, i) => [100 + 90 * Math.cos(i / 318), 100 + 90 * Math.sin(i / 318)]);
  const kept = simplified(circle, 0.01, 64);
  assert.ok(kept.length <= 64 && kept.length > 10, String(kept.length));
  assert.ok(kept.every(([x, y]) => Math.abs(Math.hypot(x - 100, y - 100) - 90) < 1e-9));
  assert.ok(Math.abs(areaOf(kept) / (Math.PI * 8100) - 1) < 0.02);
});
