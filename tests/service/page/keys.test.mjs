import assert from "node:assert/strict";
import { test } from "node:test";

import { commandsOf } from "../../../service/page/static/js/tools/commands.js";
import { removeLast, shiftMeasurement, shiftRegion } from "../../../service/page/static/js/tools/marked.js";
import { Toolbox } from "../../../service/page/static/js/tools/toolbox.js";
import { keyText } from "../../../service/page/static/js/tools/toolbar.js";
import { keyName } from "../../../service/page/static/js/viewing/keys.js";

const FRAME = { columns: 100, rows: 80 };
const fakeViewer = () => Object.assign(new EventTarget(), { placement: {}, regions: [], draw() {}, regionsOf: () => [] });

test("a key is named with what is held, and Shift only where it makes no other character", () => {
  assert.equal(keyName({ key: "i" }), "i");
  assert.equal(keyName({ key: "R", shiftKey: true }), "Shift+r");
  assert.equal(keyName({ key: "Z", ctrlKey: true, shiftKey: true }), "Ctrl+Shift+z");
  assert.equal(keyName({ key: "z", metaKey: true }), "Ctrl+z");
  assert.equal(keyName({ key: "+", shiftKey: true }), "+");
  assert.equal(keyName({ key: "ArrowUp", altKey: true }), "Alt+ArrowUp");
});

test("no key is bound twice, and none to what the viewer's keys have already", () => {
  const viewer = fakeViewer();
  const toolbox = new Toolbox(viewer);
  const commands = commandsOf({ viewer, toolbox, cine: {} });
  const bound = [...toolbox.tools.map(({ key }) => key), ...commands.flatMap(({ keys }) => keys)];
  assert.equal(new Set(bound).size, bound.length);
  for (const taken of ["g", "?", "Enter", "Escape", "Delete", ..."123456789"]) assert.ok(!bound.includes(taken), taken);
});

test("keys are written as they are printed on a keyboard", () => {
  assert.deepEqual(["b", " ", "+", "Ctrl+Shift+z"].map(keyText), ["B", "Space", "+", "Ctrl Shift Z"]);
});

test("an outline moves and grows with its box, a line by its end", () => {
  const region = { box: { x: 10, y: 10, width: 20, height: 10 }, outline: [[10, 10], [30, 10], [20, 20]], shape: "outline" };
  const moved = shiftRegion(region, [1, 2, 0, 0], FRAME);
  assert.deepEqual([moved.box.x, moved.outline, moved.shape], [11, [[11, 12], [31, 12], [21, 22]], "outline"]);
  assert.deepEqual(shiftRegion(region, [0, 0, 20, 0], FRAME).outline, [[10, 10], [50, 10], [30, 20]]);
  const line = { kind: "length", points: [[5, 5], [95, 5]] };
  assert.deepEqual(shiftMeasurement(line, [0, 0, 3, 1], FRAME).points, [[5, 5], [98, 6]]);
  assert.deepEqual(shiftMeasurement(line, [-9, 0, 0, 0], FRAME).points, [[0, 5], [86, 5]]);
  const area = { kind: "area", points: [[10, 10], [20, 10], [20, 20]] };
  assert.deepEqual(shiftMeasurement(area, [0, 1, 0, 0], FRAME).points, [[10, 11], [20, 11], [20, 21]]);
});

test("what was drawn last goes first: a measurement while one measures, else a region", () => {
  const viewer = Object.assign(fakeViewer(), { shown: { item: { key: "a" } }, regions: ["one", "two"] });
  viewer.setRegions = (regions) => Object.assign(viewer, { regions });
  const toolbox = new Toolbox(viewer);
  toolbox.measurements.set(viewer.shown.item, ["first", "second"]);
  removeLast(viewer, toolbox);
  assert.deepEqual([viewer.regions, toolbox.measurements.of(viewer.shown.item)], [["one"], ["first", "second"]]);
  toolbox.use(toolbox.byKey("l"));
  removeLast(viewer, toolbox);
  assert.deepEqual(toolbox.measurements.of(viewer.shown.item), ["first"]);
});
