import assert from "node:assert/strict";
import { test } from "node:test";

import { pixels } from "./browser.mjs";
import { Frame } from "../../../service/page/static/js/pixels/frame.js";
import { lengthText, linesOf, Measurements, valueText } from "../../../service/page/static/js/tools/measurements.js";
import { ellipseIn } from "../../../service/page/static/js/tools/shapes.js";
import { statisticsIn } from "../../../service/page/static/js/tools/statistics.js";

const SIDE = 20;

const frameOf = (headers = {}, value = (x, y) => 10 * y + x) => {
  const values = Int16Array.from({ length: SIDE * SIDE }, (_, i) => value(i % SIDE, Math.floor(i / SIDE)));
  const size = { Rows: String(SIDE), Columns: String(SIDE), Intercept: "0", Spacing: "0.5,0.8" };
  return Frame.of({ sop_instance_uid: "1.2" }, pixels({ ...size, ...headers }, values));
};

/** Even-odd, pixel by pixel. */
function isInside(points, x, y) {
  let isIn = false;
  points.forEach(([ax, ay], i) => {
    const [bx, by] = points[(i + 1) % points.length];
    if (ay <= y !== by <= y && x > ax + ((y - ay) / (by - ay)) * (bx - ax)) isIn = !isIn;
  });
  return isIn;
}

test("statistics are of the pixels whose centres are inside", async () => {
  const frame = await frameOf();
  const star = [[2, 3], [17.3, 5.1], [4.2, 16.8], [10.4, 1.3], [15.7, 18.2]];
  for (const outline of [star, ellipseIn({ x: 3.3, y: 2.1, width: 11, height: 14.5 })]) {
    const values = [];
    for (let y = 0; y < SIDE; y += 1) for (let x = 0; x < SIDE; x += 1) if (isInside(outline, x + 0.5, y + 0.5)) values.push(10 * y + x);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    const found = statisticsIn(frame, outline);
    assert.equal(found.pixels, values.length);
    assert.deepEqual([found.min, found.max], [Math.min(...values), Math.max(...values)]);
    assert.ok(Math.abs(found.mean - mean) < 1e-9 && Math.abs(found.sd - sd) < 1e-9);
  }
});

test("padding and what lies outside the image do not count, and nothing has no statistics", async () => {
  const frame = await frameOf({ Padding: "0,9" });
  assert.equal(statisticsIn(frame, [[-5, -5], [3, -5], [3, 2], [-5, 2]]).min, 10);
  assert.equal(statisticsIn(frame, [[-9, -9], [-5, -9], [-5, -5]]), null);
});

test("an area is told in mm² with its values in their units", async () => {
  const frame = await frameOf({}, () => 40);
  const lines = linesOf({ kind: "area", points: [[2, 2], [12, 2], [12, 12], [2, 12]] }, frame);
  assert.deepEqual(lines, ["40.0 mm²", "mean 40, SD 0 HU", "40 to 40"]);
});

test("of presentation values the statistics are in percent, as the windows are", async () => {
  const frame = await frameOf({ Units: "presentation", Slope: "0.01" }, () => 25);
  const [, mean] = linesOf({ kind: "area", points: [[2, 2], [12, 2], [12, 12]] }, frame);
  assert.equal(mean, "mean 25, SD 0 %");
  assert.equal(valueText(frame, 0.25), "25 %");
});

test("where the spacing is unknown, that is said", async () => {
  assert.equal(lengthText([[0, 0], [3, 4]], [0.5, 1]), "3.6 mm");
  assert.equal(lengthText([[0, 0], [3, 4]], null), "5.0 px (size in mm unknown)");
  const response = { ...(await frameOf()) };
  const [area] = linesOf({ kind: "area", points: [[2, 2], [12, 2], [12, 12], [2, 12]] }, { ...response, spacing: null, valueAt: () => 1 });
  assert.equal(area, "100 px (size in mm unknown)");
});

test("values have as many digits as they need", () => {
  const hu = { units: "HU" };
  assert.deepEqual([-712, 40.26, 0.01234, null].map((value) => valueText(hu, value)), ["-712 HU", "40.3 HU", "0.0123 HU", ""]);
  assert.equal(valueText({ units: "modality" }, 7), "7");
});

test("measurements are of their image", () => {
  const measurements = new Measurements();
  const [one, other] = [{ key: "a" }, { key: "b" }];
  const length = { kind: "length", points: [[0, 0], [1, 1]] };
  measurements.set(one, [length]);
  assert.deepEqual([measurements.of(one), measurements.of(other), measurements.of(undefined)], [[length], [], []]);
});
