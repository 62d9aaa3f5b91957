import assert from "node:assert/strict";
import { test } from "node:test";

import { inverse, Placement } from "../../../service/page/static/js/drawing/placement.js";

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

function placed(change = () => undefined, size = [640, 480, 512, 300, 0.8]) {
  const placement = new Placement();
  change(placement);
  placement.fit(...size);
  return placement;
}

test("an image fills the canvas along its longer side and is centred along the other", () => {
  const placement = placed(undefined, [400, 200, 100, 100, 1]);
  assert.deepEqual(placement.boxToCanvas({ x: 0, y: 0, width: 100, height: 100 }), [100, 0, 200, 200]);
});

test("pixels that are not square are drawn with their shape", () => {
  const [, , width, height] = placed(undefined, [1000, 100, 50, 50, 2]).boxToCanvas({ x: 0, y: 0, width: 50, height: 50 });
  assert.equal(width, 2 * height);
});

test("a point goes to the canvas and back to itself, however the image is turned, flipped, zoomed and moved", () => {
  for (const turns of [0, 1, 2, 3]) {
    for (const isFlipped of [false, true]) {
      const placement = placed((one) => {
        one.turn(turns);
        if (isFlipped) one.flip();
        one.zoomAt(3, 40, -25);
      });
      const there = placement.toCanvas({ x: 123.25, y: 45.5 });
      const back = placement.toImage(there.x, there.y);
      near(back.x, 123.25);
      near(back.y, 45.5);
    }
  }
});

test("a turn to the right takes the upper left corner to the upper right, and an image keeps fitting", () => {
  const placement = placed((one) => one.turn(), [400, 200, 100, 50, 1]);
  const [left, top, width, height] = placement.boxToCanvas({ x: 0, y: 0, width: 100, height: 50 });
  assert.deepEqual([left, top, width, height], [150, 0, 100, 200]);
  const corner = placement.toCanvas({ x: 0, y: 0 });
  assert.deepEqual([corner.x, corner.y], [250, 0]);
});

test("a flip mirrors what is seen, also of an image that is turned", () => {
  for (const turns of [0, 1, 2, 3]) {
    const before = placed((one) => one.turn(turns)).toCanvas({ x: 30, y: 40 });
    const after = placed((one) => {
      one.turn(turns);
      one.flip();
    }).toCanvas({ x: 30, y: 40 });
    near(after.x, 640 - before.x);
    near(after.y, before.y);
  }
});

test("zooming keeps the image point under the pointer where it is", () => {
  const placement = placed();
  const before = placement.toImage(320 + 70, 240 - 30);
  placement.zoomAt(1.2, 70, -30);
  placement.zoomAt(1.2, 70, -30);
  placement.fit(640, 480, 512, 300, 0.8);
  const after = placement.toImage(320 + 70, 240 - 30);
  near(after.x, before.x);
  near(after.y, before.y);
});

test("zoom stays between the whole image and 32 times, and the whole image is centred", () => {
  const placement = new Placement();
  placement.zoomAt(1000, 10, 10);
  assert.equal(placement.zoom, 32);
  placement.zoomAt(1e-6, 10, 10);
  assert.deepEqual([placement.zoom, placement.panX, placement.panY], [1, 0, 0]);
});

test("a matrix times its inverse moves nothing", () => {
  const matrix = [2, 1, -3, 4, 5, 6];
  const [a, b, c, d, e, f] = inverse(matrix);
  const [x, y] = [matrix[0] * 7 + matrix[2] * 8 + matrix[4], matrix[1] * 7 + matrix[3] * 8 + matrix[5]];
  near(a * x + c * y + e, 7);
  near(b * x + d * y + f, 8);
});
