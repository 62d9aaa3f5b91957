import assert from "node:assert/strict";
import { test } from "node:test";

import { pixels } from "./browser.mjs";
import { Frame } from "../../../service/page/static/js/pixels/frame.js";
import { percentile, windowBetween } from "../../../service/page/static/js/viewing/percentiles.js";
import { presetsFor } from "../../../service/page/static/js/viewing/presets.js";
import { speedOf } from "../../../service/page/static/js/tools/windowing.js";

const names = (frame, part) => presetsFor(frame, part).map(({ name }) => name);
const frameOf = (headers, values) =>
  Frame.of({}, pixels({ Rows: "10", Columns: "10", Units: "modality", Intercept: "0", ...headers }, values));
const HUNDRED = Int16Array.from({ length: 100 }, (_, i) => i + 1);

test("the file's own window comes first, then those of the part of the body", () => {
  const hu = { units: "HU" };
  assert.deepEqual(names(hu, "CHEST").slice(0, 3), ["File", "Lung", "Mediastinum"]);
  assert.deepEqual(names(hu, "Head").slice(0, 3), ["File", "Brain", "Stroke"]);
  assert.deepEqual(names(hu, "ABDOMEN").slice(0, 3), ["File", "Abdomen", "Liver"]);
  assert.deepEqual(names(hu, "CSPINE").slice(0, 3), ["File", "Spine", "Bone"]);
  for (const part of ["CHEST", "AORTA", null]) assert.equal(new Set(names(hu, part)).size, 10);
});

test("what has no fixed units has windows by its values, colour only its own", () => {
  assert.deepEqual(names({ units: "modality" }), ["File", "Full", "1 to 99 %", "Narrow"]);
  assert.deepEqual(names({ units: "presentation", coloured: true }), ["File"]);
  assert.deepEqual(names(null), []);
});

test("a percentile is the least value that so many percent do not exceed", async () => {
  const frame = await frameOf({}, HUNDRED);
  assert.deepEqual([0, 1, 50, 99, 100].map((percent) => percentile(frame, percent)), [1, 1, 50, 99, 100]);
});

test("padding does not count, and a falling slope turns the order round", async () => {
  const padded = await frameOf({ Padding: "1,50" }, HUNDRED);
  assert.deepEqual([0, 50, 100].map((percent) => percentile(padded, percent)), [51, 75, 100]);
  const falling = await frameOf({ Slope: "-1" }, HUNDRED);
  assert.deepEqual([1, 99].map((percent) => percentile(falling, percent)), [-100, -2]);
  const none = await frameOf({ Padding: "1,100" }, HUNDRED);
  assert.equal(percentile(none, 50), 0);
});

test("a window between percentiles shows their values from black to white", async () => {
  const frame = await frameOf({}, HUNDRED);
  assert.deepEqual(windowBetween(frame, 0, 100), [51, 100, "modality"]);
  const picture = await frameOf({ Units: "presentation", Slope: "0.01" }, HUNDRED);
  assert.deepEqual(windowBetween(picture, 0, 100), [51, 100, "presentation"]);
});

test("a window is dragged as fast as the values of the image reach", () => {
  assert.equal(speedOf({ units: "HU" }), 2);
  assert.equal(speedOf({ units: "modality", most: 1000, least: 0, slope: 1 }), 2);
  assert.equal(speedOf({ units: "modality", most: 1000, least: 0, slope: -0.01 }), 0.02);
});
