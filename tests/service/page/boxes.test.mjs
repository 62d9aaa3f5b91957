import assert from "node:assert/strict";
import { test } from "node:test";

import { boxBetween, describeBox, shiftBox } from "../../../service/page/static/js/viewing/boxes.js";

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

test("a box is told in millimetres where they are known", () => {
  const box = { x: 0, y: 0, width: 10, height: 20 };
  assert.equal(describeBox(box, [0.5, 0.7]), "7.0 × 10.0 mm (10 × 20 px)");
  assert.equal(describeBox(box, null), "10 × 20 px (size in mm unknown)");
});
