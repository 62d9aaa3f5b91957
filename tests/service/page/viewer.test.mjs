import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, FakeCanvas } from "./browser.mjs";
import { FrameStore } from "../../../service/page/static/js/pixels/store.js";
import { listen } from "../../../service/page/static/js/viewing/gestures.js";
import { label, labelLoading } from "../../../service/page/static/js/viewing/labels.js";
import { Viewer } from "../../../service/page/static/js/viewing/viewer.js";

const FRAME = { rows: 100, columns: 100, units: "HU", spacing: [0.5, 0.5], ownWindow: [50, 350], bytes: 1 };

/** A surface that remembers what was drawn on it, beside the words that stood there then. */
class Recorder {
  kind = "recorder";
  canvas = new FakeCanvas();
  drawn = [];

  draw(frame) {
    this.drawn.push(frame.number);
  }

  takes() {
    return true;
  }

  clear() {
    this.drawn.push(null);
  }
}

/** A stack whose frames come when the test lets them. */
function slowStack(name = "", modality = "CT", length = 40) {
  const asked = new Map();
  const items = Array.from({ length }, (_, number) => ({
    key: `${name}${number}`,
    identity: { series_uid: name, sop_instance_uid: `${name}.${number}`, frame_number: 1 },
    bytes: 1,
    load: () =>
      new Promise((resolve, reject) => {
        const frame = { ...FRAME, number: `${name}${number}`, least: 0, most: 0, slope: 1, intercept: 0, padding: null, isPadding: () => false };
        asked.set(number, { come: () => resolve(frame), fail: reject });
      }),
  }));
  return { series: { modality }, items, length, asked, middle: items[length / 2], indexOf: (item) => items.indexOf(item) };
}

const settled = async () => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

function looking({ ahead = 0 } = {}) {
  const { byId } = browser();
  const canvas = new FakeCanvas();
  const surface = new Recorder();
  const viewer = new Viewer({ marks: canvas }, new FrameStore(1000, ahead), surface);
  const screens = [];
  viewer.addEventListener("shown", () => {
    label(viewer);
    screens.push([surface.drawn.at(-1), byId("frame-text").textContent, canvas.dataset.instance]);
  });
  viewer.addEventListener("loading", () => labelLoading(viewer));
  return { viewer, canvas, surface, screens, byId };
}

async function shown(index = 5) {
  const looks = looking();
  const stack = slowStack();
  const done = looks.viewer.open(stack, stack.items[index]);
  stack.asked.get(index).come();
  await done;
  return { ...looks, stack };
}

const words = (number) => [`${number}`, `Image ${number + 1} of 40`, `.${number}`];

test("words and picture change together, and neither runs ahead of the other", async () => {
  const { viewer, stack, screens, byId } = await shown();
  for (const index of [6, 7, 8, 9]) viewer.goTo(index);
  await settled();
  assert.deepEqual(screens.at(-1), words(5));
  assert.equal(byId("loading").textContent, "Loading image 10…");
  assert.equal(viewer.shown.index, 5);
  stack.asked.get(6).come();
  await settled();
  assert.deepEqual(screens.at(-1), words(5));
  // What was scrolled past before it could be asked for is not asked for any more.
  assert.ok(!stack.asked.has(8));
  stack.asked.get(9).come();
  await settled();
  assert.deepEqual(screens.at(-1), words(9));
  assert.equal(byId("loading").hidden, true);
});

test("an image that comes after a later wish is not shown", async () => {
  const { viewer, stack, surface } = await shown();
  viewer.goTo(6);
  viewer.goTo(7);
  stack.asked.get(7).come();
  await settled();
  stack.asked.get(6).come();
  await settled();
  assert.equal(surface.drawn.at(-1), "7");
  assert.ok(!surface.drawn.includes("6"));
});

test("steps that come faster than the screen are all drawn where they are in memory", async () => {
  const { viewer, stack, surface } = await shown();
  for (const index of [6, 7, 8]) {
    viewer.goTo(index);
    stack.asked.get(index).come();
    await settled();
  }
  viewer.goTo(5);
  await settled();
  surface.drawn.length = 0;
  for (let step = 0; step < 3; step += 1) viewer.step(1);
  await settled();
  assert.deepEqual(surface.drawn, ["6", "7", "8"]);
});

test("a step beyond what is in memory goes there as soon as it has come", async () => {
  const { viewer, stack, surface } = await shown();
  viewer.step(1);
  viewer.step(1);
  stack.asked.get(7).come();
  await settled();
  assert.equal(surface.drawn.at(-1), "7");
  assert.equal(viewer.isWaiting, false);
});

test("nothing of one series stays on the screen when another is opened", async () => {
  const { viewer, surface } = await shown();
  const other = slowStack("b");
  viewer.open(other, other.items[3]);
  assert.equal(viewer.shown, null);
  assert.equal(surface.drawn.at(-1), null);
  other.asked.get(3).come();
  await settled();
  assert.equal(surface.drawn.at(-1), "b3");
});

test("an image that does not come is a problem that is told, shows nothing, and the next wish is served", async () => {
  const { viewer, stack, surface, byId } = await shown();
  const problems = [];
  viewer.addEventListener("problem", (event) => problems.push(event.detail.message));
  const done = viewer.goTo(6);
  stack.asked.get(6).fail(new Error("gone"));
  await done;
  assert.deepEqual(problems, ["gone"]);
  assert.equal(viewer.shown.frame, null);
  assert.equal(surface.drawn.at(-1), null);
  assert.equal(byId("window-text").textContent, "");
  viewer.step(1);
  stack.asked.get(7).come();
  await settled();
  assert.equal(surface.drawn.at(-1), "7");
});

test("scrolling ends at the first and the last image and lets go of the box of a hit", async () => {
  const { viewer, stack } = await shown();
  viewer.open(stack, stack.items[5], { found: { x: 1, y: 1, width: 2, height: 2 } });
  await settled();
  assert.ok(viewer.found);
  viewer.goTo(-3);
  stack.asked.get(0).come();
  await settled();
  assert.equal(viewer.shown.index, 0);
  assert.equal(viewer.found, null);
  viewer.goTo(400);
  stack.asked.get(39).come();
  await settled();
  assert.equal(viewer.shown.index, 39);
});

test("a box is that of its image: it stays there, and another image has none of its own", async () => {
  const { viewer, stack, byId } = await shown();
  viewer.setRegions([{ box: { x: 10, y: 20, width: 30, height: 40 } }]);
  await settled();
  assert.equal(byId("box-text").textContent, "15.0 × 20.0 mm (30 × 40 px)");
  viewer.step(1);
  stack.asked.get(6).come();
  await settled();
  assert.deepEqual(viewer.regions, []);
  assert.equal(byId("box-text").textContent, "The box is on image 6 (G goes there)");
  viewer.goTo(5);
  await settled();
  assert.equal(viewer.regions.length, 1);
});

test("a display window of other units is not used: the picture's own is", async () => {
  const { viewer } = await shown();
  viewer.setWindow([50, 100, "presentation"]);
  await settled();
  assert.deepEqual(viewer.shownWindow, [50, 350]);
  viewer.setWindow([40, 80, "HU"]);
  await settled();
  assert.deepEqual(viewer.shownWindow, [40, 80]);
});

test("what is shown is frozen: who keeps it keeps what was on the screen then", async () => {
  const { viewer, stack } = await shown();
  const kept = viewer.shown;
  viewer.step(1);
  stack.asked.get(6).come();
  await settled();
  assert.equal(kept.index, 5);
  assert.throws(() => {
    kept.index = 6;
  }, TypeError);
});

test("keys scroll, move and resize the box, search, choose presets, and leave other keys alone", async () => {
  const { viewer, canvas, stack } = await shown();
  const did = [];
  listen(viewer, { search: () => did.push("search"), preset: (index) => did.push(`preset ${index}`) });
  canvas.send("keydown", { key: "b" });
  assert.deepEqual(viewer.regions, [{ box: { x: 40, y: 40, width: 20, height: 20 } }]);
  canvas.send("keydown", { key: "ArrowRight", shiftKey: true });
  canvas.send("keydown", { key: "ArrowDown", altKey: true });
  assert.deepEqual(viewer.regions, [{ box: { x: 41, y: 40, width: 20, height: 21 } }]);
  assert.ok(canvas.send("keydown", { key: "ArrowDown" }));
  stack.asked.get(6).come();
  await settled();
  assert.equal(viewer.shown.index, 6);
  canvas.send("keydown", { key: "g" });
  await settled();
  assert.equal(viewer.shown.index, 5);
  canvas.send("keydown", { key: "PageUp" });
  stack.asked.get(0).come();
  await settled();
  assert.equal(viewer.shown.index, 0);
  canvas.send("keydown", { key: "Enter" });
  canvas.send("keydown", { key: "3" });
  assert.deepEqual(did, ["search", "preset 2"]);
  assert.ok(!canvas.send("keydown", { key: "q" }));
  assert.ok(!canvas.send("keydown", { key: "1", ctrlKey: true }));
});

test("the left button draws a box, and a mere click leaves the one that is there", async () => {
  const { viewer, canvas } = await shown();
  listen(viewer, { search() {}, preset() {} });
  const [left, top, width, height] = viewer.placement.boxToCanvas({ x: 10, y: 20, width: 30, height: 40 });
  canvas.send("pointerdown", { button: 0, offsetX: left, offsetY: top, pointerId: 1 });
  canvas.send("pointermove", { offsetX: left + width, offsetY: top + height });
  canvas.send("pointerup", {});
  assert.deepEqual(viewer.regions, [{ box: { x: 10, y: 20, width: 30, height: 40 } }]);
  canvas.send("pointerdown", { button: 0, offsetX: 0, offsetY: 0, pointerId: 1 });
  canvas.send("pointermove", { offsetX: 2, offsetY: 2 });
  canvas.send("pointerup", {});
  assert.equal(viewer.regions.length, 1);
});

test("a drag ends where another image comes on the screen: its box would lie on an image nobody saw it on", async () => {
  const { viewer, canvas, stack } = await shown();
  listen(viewer, { search() {}, preset() {} });
  canvas.send("pointerdown", { button: 0, offsetX: 200, offsetY: 100, pointerId: 1 });
  viewer.step(1);
  stack.asked.get(6).come();
  await settled();
  canvas.send("pointermove", { offsetX: 300, offsetY: 200 });
  assert.deepEqual(viewer.regions, []);
});

test("in a tab that is not drawn nothing is told of images that nobody sees, and all is once it is drawn", async () => {
  const { viewer, stack, screens, surface } = await shown();
  const redraws = [];
  globalThis.requestAnimationFrame = (redraw) => redraws.push(redraw);
  const before = screens.length;
  viewer.goTo(6);
  stack.asked.get(6).come();
  await settled();
  assert.equal(viewer.shown.index, 5);
  assert.equal(screens.length, before);
  for (const redraw of redraws) redraw();
  assert.deepEqual(screens.at(-1), words(6));
  assert.equal(surface.drawn.at(-1), "6");
});

test("a frame that was let go of before it was drawn is loaded again", async () => {
  browser();
  const store = new FrameStore(1000, 0);
  const viewer = new Viewer({ marks: new FakeCanvas() }, store, new Recorder());
  const stack = slowStack();
  const done = viewer.open(stack, stack.items[5]);
  stack.asked.get(5).come();
  await store.get(stack.items[5]);
  store.drop(stack.items[5]);
  stack.asked.clear();
  await settled();
  stack.asked.get(5).come();
  await done;
  assert.equal(viewer.shown.index, 5);
});

test("what is opened next is not known: nothing is shown, and the window stays for the same modality", async () => {
  const { viewer, surface } = await shown();
  viewer.setWindow([40, 80, "HU"]);
  viewer.close();
  assert.equal(viewer.shown, null);
  assert.equal(surface.drawn.at(-1), null);
  const [same, other] = [slowStack("b"), slowStack("c", "MR")];
  viewer.open(same, same.items[0]);
  assert.deepEqual(viewer.chosenWindow, [40, 80, "HU"]);
  viewer.close();
  viewer.open(other, other.items[0]);
  assert.equal(viewer.chosenWindow, null);
});
