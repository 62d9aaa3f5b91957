import assert from "node:assert/strict";
import { test } from "node:test";

import { pixels } from "./browser.mjs";
import { Frame } from "../../../service/page/static/js/pixels/frame.js";
import { windowFor } from "../../../service/page/static/js/viewing/display_window.js";
import { percentiles, windowBetween } from "../../../service/page/static/js/viewing/percentiles.js";
import { presetsFor } from "../../../service/page/static/js/viewing/presets.js";
import { speedOf, windowing } from "../../../service/page/static/js/tools/windowing.js";

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
  assert.deepEqual(percentiles(frame, [0, 1, 50, 99, 100]), [1, 1, 50, 99, 100]);
});

test("padding does not count, and a falling slope turns the order round", async () => {
  const padded = await frameOf({ Padding: "1,50" }, HUNDRED);
  assert.deepEqual(percentiles(padded, [0, 50, 100]), [51, 75, 100]);
  const falling = await frameOf({ Slope: "-1" }, HUNDRED);
  assert.deepEqual(percentiles(falling, [1, 99]), [-100, -2]);
  const none = await frameOf({ Padding: "1,100" }, HUNDRED);
  assert.deepEqual(percentiles(none, [50]), [0]);
});

test("a window between percentiles shows their values from black to white", async () => {
  const frame = await frameOf({}, HUNDRED);
  assert.deepEqual(windowBetween(frame, 0, 100), [51, 100]);
  const picture = await frameOf({ Units: "presentation", Slope: "0.01" }, HUNDRED);
  assert.deepEqual(windowBetween(picture, 0, 100), [51, 100]);
});

test("a rule gives each image a window of its own; numbers hold in their units, and colour keeps its own", async () => {
  const [frame, brighter] = await Promise.all([frameOf({}, HUNDRED), frameOf({}, HUNDRED.map((value) => value + 50))]);
  const rule = presetsFor(frame).find(({ name }) => name === "Full").window;
  assert.deepEqual([frame, brighter].map((one) => windowFor(one, rule)), [[51, 100], [101, 100]]);
  assert.deepEqual(windowFor(brighter, [40, 80, "modality"]), [40, 80]);
  assert.equal(windowFor(brighter, [40, 80, "HU"]), null);
  assert.equal(windowFor({ units: "HU" }, rule), null);
  assert.equal(windowFor(frame, null), null);
  for (const chosen of [rule, [50, 100, "presentation"]]) assert.equal(windowFor({ units: "presentation", coloured: true }, chosen), null);
});

test("a drag leaves the window of a colour picture as it is", () => {
  const set = [];
  const viewer = { shownWindow: [50, 100], shown: { frame: { units: "presentation" } }, setWindow: (chosen) => set.push(chosen) };
  assert.equal(windowing.begin({ viewer, frame: { units: "presentation", coloured: true } }), null);
  windowing.begin({ viewer, frame: viewer.shown.frame }).move({ viewer, dx: 10, dy: 0 });
  assert.deepEqual(set, [[50, 103, "presentation"]]);
});

test("a window is dragged as fast as the values of the image reach", () => {
  assert.equal(speedOf({ units: "HU" }), 2);
  assert.equal(speedOf({ units: "modality", most: 1000, least: 0, slope: 1 }), 2);
  assert.equal(speedOf({ units: "modality", most: 1000, least: 0, slope: -0.01 }), 0.02);
});
