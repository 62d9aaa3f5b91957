import assert from "node:assert/strict";
import { test } from "node:test";

import { boxBetween, shiftBox, Viewport } from "../../../service/page/static/js/viewport.js";

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test("an image fills the canvas along its longer side and is centred along the other", () => {
  const view = new Viewport();
  view.fit(400, 200, 100, 100, 1);
  assert.deepEqual(view.toCanvas({ x: 0, y: 0, width: 100, height: 100 }), [100, 0, 200, 200]);
});

test("pixels that are not square are drawn with their shape", () => {
  const view = new Viewport();
  view.fit(1000, 100, 50, 50, 2);
  const [, , width, height] = view.toCanvas({ x: 0, y: 0, width: 50, height: 50 });
  assert.equal(width, 2 * height);
});

test("a point goes to the canvas and back to itself, zoomed and panned", () => {
  const view = new Viewport();
  view.zoomAt(3, 40, -25);
  view.fit(640, 480, 512, 300, 0.8);
  const [x, y] = view.toCanvas({ x: 123.25, y: 45.5, width: 1, height: 1 });
  const back = view.toImage(x, y);
  near(back.x, 123.25);
  near(back.y, 45.5);
});

test("zooming keeps the image point under the pointer where it is", () => {
  const view = new Viewport();
  const size = [640, 480, 512, 300, 1];
  const [x, y] = [70, -30];
  view.fit(...size);
  const before = view.toImage(320 + x, 240 + y);
  view.zoomAt(1.2, x, y);
  view.zoomAt(1.2, x, y);
  view.fit(...size);
  const after = view.toImage(320 + x, 240 + y);
  near(after.x, before.x);
  near(after.y, before.y);
});

test("zoom stays between the whole image and 16 times, and the whole image is centred", () => {
  const view = new Viewport();
  view.zoomAt(1000, 10, 10);
  assert.equal(view.zoom, 16);
  view.zoomAt(1e-6, 10, 10);
  assert.deepEqual([view.zoom, view.panX, view.panY], [1, 0, 0]);
});

test("a box is the same whichever corner it is drawn from, and ends at the image's edge", () => {
  const expected = { x: 10, y: 20, width: 30, height: 40 };
  for (const [a, b] of [
    [{ x: 10, y: 20 }, { x: 40, y: 60 }],
    [{ x: 40, y: 60 }, { x: 10, y: 20 }],
    [{ x: 40, y: 20 }, { x: 10, y: 60 }],
  ]) {
    assert.deepEqual(boxBetween(a, b, 100, 100), expected);
  }
  assert.deepEqual(boxBetween({ x: -5, y: 90 }, { x: 20, y: 300 }, 100, 100), { x: 0, y: 90, width: 20, height: 10 });
});

test("a box never reaches beyond the image by rounding", () => {
  const box = boxBetween({ x: 0.006, y: 0.006 }, { x: 99.999, y: 99.999 }, 100, 100);
  assert.ok(box.x + box.width <= 100 && box.y + box.height <= 100);
});

test("less than a pixel is no box", () => {
  assert.equal(boxBetween({ x: 5, y: 5 }, { x: 5.9, y: 50 }, 100, 100), null);
  assert.equal(boxBetween({ x: -9, y: 5 }, { x: -1, y: 50 }, 100, 100), null);
});

test("a box is moved and resized inside the image alone", () => {
  const box = { x: 10, y: 10, width: 20, height: 20 };
  assert.deepEqual(shiftBox(box, 1, -1, 0, 0, 100, 100), { x: 11, y: 9, width: 20, height: 20 });
  assert.deepEqual(shiftBox(box, -50, 500, 0, 0, 100, 100), { x: 0, y: 80, width: 20, height: 20 });
  assert.deepEqual(shiftBox(box, 0, 0, -50, 500, 100, 100), { x: 10, y: 0, width: 1, height: 100 });
});
