import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, FakeCanvas } from "./browser.mjs";
import { listen } from "../../../service/page/static/js/gestures.js";
import { Viewer } from "../../../service/page/static/js/viewer.js";

const PICTURE = { rows: 100, columns: 100, units: "HU", spacing: [0.5, 0.5], displayWindow: [50, 350] };

/** A stack whose pictures come when the test lets them. */
class SlowStack {
  length = 40;
  series = { modality: "CT" };
  asked = [];

  picture(index) {
    return new Promise((resolve, reject) => {
      this.asked.push({ index, come: () => resolve({ ...PICTURE, index }), fail: reject });
    });
  }

  async preload() {
    return PICTURE;
  }
}

async function shown(index = 5) {
  const { byId } = browser();
  const canvas = new FakeCanvas();
  const viewer = new Viewer(canvas);
  const stack = new SlowStack();
  const done = viewer.show(stack, index);
  stack.asked[0].come();
  await done;
  return { viewer, stack, canvas, byId };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("wishes while a picture is on its way end in one more load, of the last wish", async () => {
  const { viewer, stack } = await shown();
  for (const index of [6, 7, 8, 9]) viewer.scrollTo(index);
  stack.asked[1].come();
  await settled();
  stack.asked[2].come();
  await settled();
  assert.deepEqual(stack.asked.map(({ index }) => index), [5, 6, 9]);
  assert.equal(viewer.picture.index, 9);
});

test("a picture that does not come is a problem that is told, and the next wish is served", async () => {
  const { viewer, stack } = await shown();
  const problems = [];
  viewer.addEventListener("problem", (event) => problems.push(event.detail.message));
  viewer.scrollTo(6);
  stack.asked[1].fail(new Error("gone"));
  await settled();
  assert.deepEqual(problems, ["gone"]);
  assert.equal(viewer.picture, null);
  viewer.scrollTo(7);
  stack.asked[2].come();
  await settled();
  assert.equal(viewer.picture.index, 7);
});

test("scrolling ends at the first and the last image and lets go of the box of a hit", async () => {
  const { viewer } = await shown();
  viewer.hitBox = { x: 1, y: 1, width: 2, height: 2 };
  viewer.scrollTo(-3);
  assert.equal(viewer.index, 0);
  assert.equal(viewer.hitBox, null);
  viewer.scrollTo(400);
  assert.equal(viewer.index, 39);
});

test("a display window of other units is not used: the picture's own is", async () => {
  const { viewer } = await shown();
  viewer.displayWindow = [50, 100, "presentation"];
  assert.deepEqual(viewer.shownWindow, [50, 350]);
  viewer.displayWindow = [40, 80, "HU"];
  assert.deepEqual(viewer.shownWindow.slice(0, 2), [40, 80]);
});

test("keys scroll, move and resize the box, search, choose presets, and leave other keys alone", async () => {
  const { viewer, canvas } = await shown();
  const did = [];
  listen(viewer, { search: () => did.push("search"), preset: (index) => did.push(`preset ${index}`) });
  assert.ok(canvas.send("keydown", { key: "ArrowDown" }));
  assert.equal(viewer.index, 6);
  canvas.send("keydown", { key: "PageUp" });
  assert.equal(viewer.index, 0);
  canvas.send("keydown", { key: "b" });
  assert.deepEqual(viewer.box, { x: 40, y: 40, width: 20, height: 20 });
  canvas.send("keydown", { key: "ArrowRight", shiftKey: true });
  canvas.send("keydown", { key: "ArrowDown", altKey: true });
  assert.deepEqual(viewer.box, { x: 41, y: 40, width: 20, height: 21 });
  canvas.send("keydown", { key: "Enter" });
  canvas.send("keydown", { key: "3" });
  assert.deepEqual(did, ["search", "preset 2"]);
  assert.ok(!canvas.send("keydown", { key: "q" }));
  assert.ok(!canvas.send("keydown", { key: "1", ctrlKey: true }));
});

test("the left button draws a box, and a mere click leaves the one that is there", async () => {
  const { viewer, canvas } = await shown();
  listen(viewer, { search() {}, preset() {} });
  const [left, top, width, height] = viewer.viewport.toCanvas({ x: 10, y: 20, width: 30, height: 40 });
  canvas.send("pointerdown", { button: 0, offsetX: left, offsetY: top, pointerId: 1 });
  canvas.send("pointermove", { offsetX: left + width, offsetY: top + height });
  canvas.send("pointerup", {});
  assert.deepEqual(viewer.box, { x: 10, y: 20, width: 30, height: 40 });
  canvas.send("pointerdown", { button: 0, offsetX: 0, offsetY: 0, pointerId: 1 });
  canvas.send("pointermove", { offsetX: 2, offsetY: 2 });
  canvas.send("pointerup", {});
  assert.deepEqual(viewer.box, { x: 10, y: 20, width: 30, height: 40 });
});
