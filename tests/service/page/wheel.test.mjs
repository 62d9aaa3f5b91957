import assert from "node:assert/strict";
import { test } from "node:test";

import { Pinch } from "../../../service/page/static/js/viewing/pinch.js";
import { Wheel, zoomOf } from "../../../service/page/static/js/viewing/wheel.js";

const turned = (events) => {
  const wheel = new Wheel();
  return events.map(([deltaY, timeStamp, more]) => wheel.steps({ deltaY, timeStamp, ...more }) || 0);
};

test("a notch is an image, however many pixels or lines a browser tells for it", () => {
  assert.deepEqual(turned([[100, 0], [120, 500], [-100, 900]]), [1, 1, -1]);
  assert.deepEqual(turned([[3, 0, { deltaMode: 1 }], [-1, 10, { deltaMode: 2 }]]), [1, -1]);
  assert.deepEqual(turned([[66.7, 0, { wheelDeltaY: -120 }], [80, 10, { wheelDeltaY: -120 }]]), [1, 1]);
});

test("a trackpad's small ways add up to an image for every 40 pixels", () => {
  const steps = turned(Array.from({ length: 50 }, (_, i) => [4, i * 16, { wheelDeltaY: -12 }]));
  assert.equal(steps.reduce((a, b) => a + b), 5);
  assert.equal(Math.max(...steps), 1);
});

test("a swipe of a trackpad does not race: an event is two images at most", () => {
  const steps = turned([10, 40, 90, 99, 70, 30, 5].map((deltaY, i) => [deltaY, i * 16, { wheelDeltaY: -3 * deltaY }]));
  assert.ok(steps.every((step) => step <= 2), String(steps));
  assert.equal(steps.reduce((a, b) => a + b), Math.floor(344 / 40));
});

test("what is left of a way is forgotten after a pause and on the way back", () => {
  assert.deepEqual(turned([[39, 0], [39, 1000], [-39, 1010], [-1, 1020]]), [0, 0, 0, -1]);
});

test("a notch zooms by a fifth, a pinch by what the fingers go, and back again", () => {
  assert.equal(zoomOf({ deltaY: -100 }), 1.2);
  assert.ok(Math.abs(zoomOf({ deltaY: -5 }) * zoomOf({ deltaY: 5 }) - 1) < 1e-12);
  assert.ok(zoomOf({ deltaY: -5 }) > 1 && zoomOf({ deltaY: -5 }) < 1.1);
});

test("two fingers zoom by the way between them, around their middle, and move it", () => {
  const told = [];
  const placement = { panX: 0, panY: 0, zoomAt: (...zoomed) => told.push(zoomed) };
  const viewer = { placement, canvas: { clientWidth: 400, clientHeight: 200 }, draw() {} };
  const pinch = new Pinch(viewer, [{ x: 100, y: 100 }, { x: 140, y: 100 }]);
  pinch.move([{ x: 100, y: 110 }, { x: 180, y: 110 }]);
  pinch.move([{ x: 100, y: 110 }]);
  assert.deepEqual([placement.panX, placement.panY, told], [20, 10, [[2, -60, 10]]]);
});
