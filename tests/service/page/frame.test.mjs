import assert from "node:assert/strict";
import { test } from "node:test";

import { pixels } from "./browser.mjs";
import { Frame } from "../../../service/page/static/js/pixels/frame.js";
import { shadesOf } from "../../../service/page/static/js/pixels/shades.js";

const frameOf = (headers, values) => Frame.of({ sop_instance_uid: "1.2" }, pixels(headers, values));

test("a frame has what its headers say, null where they say nothing", async () => {
  const frame = await frameOf({ Spacing: "0.7,0.5", Directions: "L,P", Windows: "40,400;-600,1500" });
  assert.deepEqual([frame.rows, frame.columns, frame.spacing], [2, 3, [0.7, 0.5]]);
  assert.deepEqual([frame.directions, frame.position, frame.padding], [["L", "P"], null, null]);
  assert.deepEqual(frame.windows, [[40, 400], [-600, 1500]]);
  assert.deepEqual([frame.least, frame.most, frame.bytes], [0, 5, 12]);
});

test("nothing of a frame can be changed", async () => {
  const frame = await frameOf();
  assert.throws(() => {
    frame.rows = 7;
  }, TypeError);
  assert.throws(() => {
    frame.identity.sop_instance_uid = "1.3";
  }, TypeError);
});

test("values that are fewer than the size says are no frame", async () => {
  await assert.rejects(frameOf({}, new Int16Array([1, 2])), /2 values came of 6/);
});

test("a value is that of the pixel under the point, in its units, and none outside or in padding", async () => {
  const frame = await frameOf({ Slope: "2", Padding: "0,0" });
  assert.equal(frame.valueAt(1.9, 1.2), 4 * 2 - 1024);
  assert.equal(frame.valueAt(0, 0), null);
  for (const [x, y] of [[-0.1, 0], [3, 0], [0, 2]]) assert.equal(frame.valueAt(x, y), null);
});

test("the greys of a CT begin and end where its window does", async () => {
  const frame = await frameOf({ Intercept: "0" }, new Int16Array([-2000, -100, 0, 40, 239, 2000]));
  const shades = shadesOf(frame, [40, 400]);
  assert.deepEqual([-2000, -100, 239, 2000].map((stored) => shades[stored & 0xffff]), [0, 38, 255, 255]);
});

test("large values are dark where the file says so, and padding is black all the same", async () => {
  const headers = { Units: "modality", Type: "uint16", Intercept: "0", Inverted: "true", Padding: "0,0" };
  const frame = await frameOf(headers, new Uint16Array([0, 1, 2, 3, 4, 5]));
  assert.deepEqual([...shadesOf(frame).slice(0, 6)], [0, 255, 191, 128, 64, 0]);
});

test("a file without a window shows the range of its values, and one of a single value is black", async () => {
  const headers = { Units: "modality", Type: "uint16", Intercept: "0" };
  const frame = await frameOf(headers, new Uint16Array([10, 20, 30, 40, 50, 60]));
  assert.deepEqual([shadesOf(frame)[10], shadesOf(frame)[60]], [0, 255]);
  const flat = await frameOf(headers, new Uint16Array(6).fill(7));
  assert.equal(shadesOf(flat)[7], 0);
});

test("a file's sigmoid and its exact line are used as it says", async () => {
  const headers = { Units: "modality", Type: "uint16", Intercept: "0", Windows: "30,40" };
  const values = new Uint16Array([10, 20, 30, 40, 50, 60]);
  const sigmoid = await frameOf({ ...headers, "Window-Function": "SIGMOID" }, values);
  assert.deepEqual([10, 30, 50].map((stored) => shadesOf(sigmoid)[stored]), [30, 128, 225]);
  const exact = await frameOf({ ...headers, "Window-Function": "LINEAR_EXACT" }, values);
  assert.deepEqual([10, 30, 50].map((stored) => shadesOf(exact)[stored]), [0, 128, 255]);
});

test("colour is shown as it is, or through a window in percent", async () => {
  const colours = new Uint8Array([0, 10, 255, ...new Array(15).fill(1)]);
  const frame = await frameOf({ Units: "presentation", Type: "rgb8", Slope: String(1 / 255), Intercept: "0" }, colours);
  assert.deepEqual([...shadesOf(frame)], Array.from({ length: 256 }, (_, value) => value));
  assert.equal(shadesOf(frame, [20, 41])[255], 255);
  assert.equal(frame.valueAt(0, 0), null);
});
