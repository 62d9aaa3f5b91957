import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, FakeCanvas } from "./browser.mjs";
import { Toolbox } from "../../../service/page/static/js/tools/toolbox.js";
import { listenToPointers } from "../../../service/page/static/js/viewing/pointers.js";

const FRAME = { columns: 100, rows: 100, units: "HU", valueAt: () => 0 };
const touch = (pointerId, offsetX, offsetY, timeStamp = 0) => {
  return { pointerId, pointerType: "touch", button: 0, offsetX, offsetY, timeStamp };
};
const mouse = (offsetX, offsetY, more = {}) => ({ pointerId: 1, pointerType: "mouse", button: 0, offsetX, offsetY, ...more });
const box = (x, y, width, height) => ({ box: { x, y, width, height } });

/** As much of a viewer as strokes need; image points are points of the canvas. */
class FakeViewer extends EventTarget {
  canvas = new FakeCanvas();
  stack = {};
  shown = { item: { key: "a" }, frame: FRAME };
  zoomed = [];
  placement = { panX: 0, panY: 0, toImage: (x, y) => ({ x, y }), zoomAt: (...zoom) => this.zoomed.push(zoom) };
  #regions = new Map();

  regionsOf = (item) => this.#regions.get(item.key) ?? [];

  get regions() {
    return this.regionsOf(this.shown.item);
  }

  setRegions(regions) {
    this.#regions.set(this.shown.item.key, regions);
    this.dispatchEvent(new Event("regions"));
  }

  draw() {}
}

function drawing() {
  const { byId } = browser();
  const viewer = new FakeViewer();
  const toolbox = new Toolbox(viewer);
  listenToPointers(viewer, toolbox);
  const send = (...events) => events.forEach(([type, properties]) => viewer.canvas.send(`pointer${type}`, properties));
  return { viewer, toolbox, send, byId };
}

test("with Shift, or while regions are added, a box comes to the others, and else takes their place", () => {
  const { viewer, toolbox, send } = drawing();
  const drag = (from, to, more) => send(["down", mouse(from, from, more)], ["move", mouse(to, to)], ["up", mouse(to, to)]);
  drag(0, 10);
  drag(20, 30, { shiftKey: true });
  assert.deepEqual(viewer.regions, [box(0, 0, 10, 10), box(20, 20, 10, 10)]);
  toolbox.add(true);
  drag(40, 50);
  assert.equal(viewer.regions.length, 3);
  toolbox.add(false);
  drag(60, 70);
  assert.deepEqual(viewer.regions, [box(60, 60, 10, 10)]);
});

test("a search takes 16 regions: another is refused in words, and none is lost", () => {
  const { viewer, send, byId } = drawing();
  const full = Array.from({ length: 16 }, (_, i) => box(i, i, 5, 5));
  viewer.setRegions(full);
  send(["down", mouse(0, 0, { shiftKey: true })], ["move", mouse(50, 50)], ["up", mouse(50, 50)]);
  assert.deepEqual(viewer.regions, full);
  assert.match(byId("status").textContent, /16 regions/);
});

test("a stroke that ends over another image leaves that one alone, and the first as far as it was drawn", () => {
  const { viewer, send } = drawing();
  const [first, other] = [viewer.shown.item, { key: "b" }];
  send(["down", mouse(0, 0)], ["move", mouse(10, 10)]);
  viewer.shown = { ...viewer.shown, item: other };
  send(["up", mouse(10, 10)]);
  assert.deepEqual([viewer.regionsOf(first), viewer.regionsOf(other)], [[box(0, 0, 10, 10)], []]);
});

test("a second finger ends what the first began, without a trace, and zooms", () => {
  const { viewer, toolbox, send } = drawing();
  viewer.setRegions([box(5, 5, 5, 5)]);
  send(["down", touch(1, 40, 50)], ["move", touch(1, 60, 70)]);
  send(["down", touch(2, 100, 70)], ["move", touch(2, 140, 70)], ["up", touch(2, 140, 70)], ["move", touch(1, 20, 20)], ["up", touch(1, 20, 20)]);
  assert.deepEqual(viewer.regions, [box(5, 5, 5, 5)]);
  assert.equal(viewer.zoomed[0][0], 2);
  assert.equal(toolbox.undo.canUndo, true);
  send(["down", touch(1, 40, 50)], ["move", touch(1, 60, 70)], ["up", touch(1, 60, 70)]);
  assert.deepEqual(viewer.regions, [box(40, 50, 20, 20)]);
});

test("a finger that rests reads the value under it and draws nothing; the next touch ends it", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { viewer, toolbox, send } = drawing();
  send(["down", touch(1, 40, 50)], ["move", touch(1, 41, 50)]);
  t.mock.timers.tick(600);
  assert.deepEqual(toolbox.point.at, { x: 40, y: 50 });
  send(["move", touch(1, 70, 60, 700)], ["up", touch(1, 70, 60, 800)]);
  assert.deepEqual([toolbox.point.at, toolbox.point.isSet, viewer.regions], [{ x: 70, y: 60 }, true, []]);
  send(["down", touch(1, 10, 10)]);
  assert.equal(toolbox.point.isSet, false);
});

test("a finger that moved on in time draws, although the page was too busy to hear of it", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { viewer, toolbox, send } = drawing();
  send(["down", touch(1, 40, 50)]);
  t.mock.timers.tick(600);
  send(["move", touch(1, 50, 60, 100)], ["move", touch(1, 60, 70, 900)], ["up", touch(1, 60, 70, 900)]);
  assert.deepEqual([toolbox.point.isSet, viewer.regions], [false, [box(40, 50, 20, 20)]]);
});

test("a cancelled pointer leaves the regions as they were", () => {
  const { viewer, send } = drawing();
  viewer.setRegions([box(5, 5, 5, 5)]);
  send(["down", mouse(0, 0)], ["move", mouse(30, 30)], ["cancel", mouse(30, 30)]);
  assert.deepEqual(viewer.regions, [box(5, 5, 5, 5)]);
});

test("the right button sets the window and the middle one moves the image, whatever the tool", () => {
  const { viewer, send } = drawing();
  const windows = [];
  Object.assign(viewer, { shownWindow: [40, 400], setWindow: (chosen) => windows.push(chosen) });
  send(["down", mouse(0, 0, { button: 2 })], ["move", mouse(10, 20)], ["up", mouse(10, 20)]);
  assert.deepEqual(windows, [[80, 420, "HU"]]);
  send(["down", mouse(0, 0, { button: 1 })], ["move", mouse(10, 20)], ["up", mouse(10, 20)]);
  assert.deepEqual([viewer.placement.panX, viewer.placement.panY, viewer.regions], [10, 20, []]);
});

test("an outline by hand has few points, closes itself, and a line that encloses nothing is none", () => {
  const { viewer, toolbox, send } = drawing();
  toolbox.use(toolbox.byKey("f"));
  const around = Array.from({ length: 60 }, (_, i) => mouse(50 + 30 * Math.cos(i / 10), 50 + 20 * Math.sin(i / 10)));
  send(["down", around[0]], ...around.map((at) => ["move", at]), ["up", around.at(-1)]);
  const [{ box: found, outline, shape }] = viewer.regions;
  assert.equal(shape, "outline");
  assert.ok(outline.length >= 8 && outline.length < 60, String(outline.length));
  assert.ok(Math.abs(found.width - 60) < 1 && Math.abs(found.height - 40) < 1);
  send(["down", mouse(0, 0)], ...[10, 20, 30].map((way) => ["move", mouse(way, way)]), ["up", mouse(30, 30)]);
  assert.deepEqual(viewer.regions[0].outline, outline);
});
