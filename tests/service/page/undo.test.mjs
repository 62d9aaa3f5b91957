import assert from "node:assert/strict";
import { test } from "node:test";

import { Measurements } from "../../../service/page/static/js/tools/measurements.js";
import { Undo } from "../../../service/page/static/js/tools/undo.js";

const BOX = { box: { x: 1, y: 2, width: 3, height: 4 } };
const OTHER = { box: { x: 9, y: 9, width: 9, height: 9 } };
const LENGTH = { kind: "length", points: [[0, 0], [1, 1]] };

/** As much of a viewer as regions need. */
class FakeViewer extends EventTarget {
  stack = { items: [{ key: "a" }, { key: "b" }] };
  shown = { item: this.stack.items[0] };
  opened = [];
  #regions = new Map();

  regionsOf = (item) => this.#regions.get(item.key) ?? [];

  get regions() {
    return this.regionsOf(this.shown.item);
  }

  setRegions(regions) {
    this.#regions.set(this.shown.item.key, regions);
    this.dispatchEvent(new Event("regions"));
  }

  async open(stack, item, { regions } = {}) {
    this.stack = stack;
    this.shown = { item };
    this.opened.push(item.key);
    if (regions) this.#regions.set(item.key, regions);
    this.dispatchEvent(new Event("shown"));
  }
}

function drawing() {
  const viewer = new FakeViewer();
  const measurements = new Measurements();
  return { viewer, measurements, undo: new Undo(viewer, measurements), items: viewer.stack.items };
}

test("what was drawn last goes first and comes back first, regions and measurements alike", async () => {
  const { viewer, measurements, undo, items } = drawing();
  viewer.setRegions([BOX]);
  measurements.set(items[0], [LENGTH]);
  viewer.setRegions([BOX, OTHER]);
  await undo.undo();
  assert.deepEqual([viewer.regions, measurements.of(items[0])], [[BOX], [LENGTH]]);
  await undo.undo();
  assert.deepEqual([viewer.regions, measurements.of(items[0])], [[BOX], []]);
  await undo.undo();
  assert.deepEqual([viewer.regions, undo.canUndo, undo.canRedo], [[], false, true]);
  for (let times = 0; times < 3; times += 1) await undo.redo();
  assert.deepEqual([viewer.regions, measurements.of(items[0]), undo.canRedo], [[BOX, OTHER], [LENGTH], false]);
});

test("a stroke is one change, and one that changes nothing is none", async () => {
  const { viewer, undo, items } = drawing();
  undo.hold(items[0]);
  for (const width of [3, 4, 5]) viewer.setRegions([{ box: { ...BOX.box, width } }]);
  undo.release();
  await undo.undo();
  assert.deepEqual([viewer.regions, undo.canUndo], [[], false]);
  undo.hold(items[0]);
  viewer.setRegions([]);
  undo.release();
  assert.equal(undo.canUndo, false);
});

test("a change is undone on its own image, which comes on the screen", async () => {
  const { viewer, undo, items } = drawing();
  viewer.setRegions([BOX]);
  await viewer.open(viewer.stack, items[1]);
  viewer.opened.length = 0;
  await undo.undo();
  assert.deepEqual([viewer.opened, viewer.regionsOf(items[0]), viewer.regionsOf(items[1])], [["a"], [], []]);
});

test("regions that are replaced by another way than drawing can be had again", async () => {
  const { viewer, undo, items } = drawing();
  viewer.setRegions([BOX]);
  await viewer.open(viewer.stack, items[0], { regions: [OTHER] });
  await undo.undo();
  assert.deepEqual(viewer.regions, [BOX]);
  await undo.redo();
  assert.deepEqual(viewer.regions, [OTHER]);
});

test("what came while another image was on the screen is not lost by an undo", async () => {
  const { viewer, measurements, undo, items } = drawing();
  viewer.setRegions([BOX]);
  await viewer.open(viewer.stack, items[1]);
  measurements.set(items[0], [LENGTH]);
  await undo.undo();
  assert.deepEqual([viewer.regionsOf(items[0]), measurements.of(items[0])], [[], []]);
  await undo.redo();
  assert.deepEqual([viewer.regionsOf(items[0]), measurements.of(items[0])], [[BOX], [LENGTH]]);
});

test("a new change ends what could be done again", async () => {
  const { viewer, undo } = drawing();
  viewer.setRegions([BOX]);
  await undo.undo();
  viewer.setRegions([OTHER]);
  assert.equal(undo.canRedo, false);
});

test("changes of another series wait until it is open again", async () => {
  const { viewer, undo } = drawing();
  const first = viewer.stack;
  viewer.setRegions([BOX]);
  await viewer.open({ items: [{ key: "c" }] }, { key: "c" });
  assert.equal(undo.canUndo, false);
  await undo.undo();
  assert.deepEqual(viewer.regionsOf(first.items[0]), [BOX]);
  await viewer.open(first, first.items[0]);
  assert.equal(undo.canUndo, true);
});
