import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, FakeElement } from "./browser.mjs";
import { Placement } from "../../../service/page/static/js/drawing/placement.js";
import { Facts, linesOf } from "../../../service/page/static/js/overlay/facts.js";
import { edgesOf, opposite } from "../../../service/page/static/js/overlay/letters.js";
import { barOf } from "../../../service/page/static/js/overlay/scale_bar.js";
import { PatientText } from "../../../service/page/static/js/overlay/patient.js";
import { textAt } from "../../../service/page/static/js/overlay/value_text.js";

const edges = (change = () => undefined, directions = ["L", "P"]) => {
  const placement = new Placement();
  change(placement);
  placement.fit(640, 480, 100, 100, 1);
  const { left, right, top, bottom } = edgesOf(directions, placement.matrix);
  return [left, right, top, bottom].join(" ");
};

test("the letters are where the sides of the patient are seen, turned and flipped", () => {
  assert.equal(edges(), "R L A P");
  assert.equal(edges((one) => one.turn()), "P A R L");
  assert.equal(edges((one) => one.turn(2)), "L R P A");
  assert.equal(edges((one) => one.turn(-1)), "A P L R");
  assert.equal(edges((one) => one.flip()), "L R A P");
  for (const turns of [0, 1, 2, 3]) {
    // Flipping exchanges left and right as they are seen, however the image is turned.
    const [left, right, top, bottom] = edges((one) => one.turn(turns)).split(" ");
    const flipped = edges((one) => {
      one.turn(turns);
      one.flip();
    });
    assert.equal(flipped, [right, left, top, bottom].join(" "));
  }
});

test("oblique directions have letters of each side, and unknown ones none", () => {
  assert.equal(edges(undefined, ["LA", "FP"]), "RP LA HA FP");
  assert.equal(opposite("AR"), "PL");
  assert.equal(edgesOf(null, [1, 0, 0, 1, 0, 0]), null);
});

test("a scale bar is the longest round length that fits", () => {
  assert.deepEqual(barOf(2, 250), { mm: 100, points: 200 });
  assert.deepEqual(barOf(10, 250), { mm: 20, points: 200 });
  assert.deepEqual(barOf(100, 60), { mm: 0.5, points: 50 });
  assert.equal(barOf(2, 0), null);
  for (let scale = 0.07; scale < 90; scale *= 1.13) {
    const { mm, points } = barOf(scale, 200);
    assert.ok(points <= 200 + 1e-9 && points > 200 / 2.5 - 1e-9, String(scale));
    assert.match(mm.toExponential(0), /^[125]e/);
  }
});

test("what is not known of a frame is left out", () => {
  const known = { modality: "CT", body_part: "CHEST", sex: "F", age_years: 61, study_date: "2000-01-01", slice_thickness_mm: 2.5, contrast: true };
  assert.deepEqual(linesOf(known), ["CT · CHEST", "female · 60–69 years", "2000-01-01", "2.5 mm · contrast agent"]);
  assert.deepEqual(linesOf({ modality: "CT", series_description: "LUNG 1.25mm" }), ["CT", "LUNG 1.25mm"]);
  assert.deepEqual(linesOf({ modality: "MR", contrast: false, body_part: null }), ["MR", "no contrast agent"]);
});

test("the patient of the study on the screen is asked for once, and gone with the study", async () => {
  const { byId } = browser();
  const viewer = new EventTarget();
  const asked = [];
  new PatientText(viewer, (study, collection, signal) => new Promise((resolve, reject) => asked.push({ study, signal, resolve, reject })));
  const show = (study_uid) => {
    viewer.shown = study_uid && { identity: { study_uid, collection: "a" } };
    viewer.dispatchEvent(new Event("shown"));
  };
  const settle = () => new Promise(setImmediate);
  const told = () => (byId("patient").children ?? []).map(({ textContent }) => textContent);
  for (const study of ["1", "1", "2"]) show(study);
  assert.deepEqual(asked.map(({ study, signal }) => [study, signal.aborted]), [["1", true], ["2", false]]);
  asked[0].resolve({ name: "Doe, Jane", patient_id: "1", birth_date: null });
  await settle();
  assert.deepEqual(told(), []);
  asked[1].resolve({ name: "Roe, Max", patient_id: "0815", birth_date: "1950-02-03" });
  await settle();
  assert.deepEqual(told(), ["Roe, Max", "ID 0815", "born 1950-02-03"]);
  show(null);
  assert.deepEqual(told(), []);
  for (const [status, text] of [[404, "does not have this study"], [409, "another patient id"], [503, "does not answer"]]) {
    show("3");
    asked.at(-1).reject({ status });
    await settle();
    assert.equal(told().length, 1);
    assert.match(told()[0], new RegExp(text));
    show("2");
  }
});

test("the value under the pointer is told with its pixel, and none outside", () => {
  const frame = { rows: 10, columns: 10, units: "HU", valueAt: (x) => (x < 5 ? -712 : null) };
  assert.equal(textAt(frame, { x: 2.9, y: 0 }), "Column 3, row 1: -712 HU");
  assert.equal(textAt(frame, { x: 7, y: 0 }), "Column 8, row 1: padding");
  assert.equal(textAt({ ...frame, coloured: true }, { x: 7, y: 0 }), "Column 8, row 1");
  for (const [x, y] of [[-0.1, 0], [10, 0], [0, 10]]) assert.equal(textAt(frame, { x, y }), "");
});

test("a series is asked about once, and what comes late is not told of another", async () => {
  browser();
  const [viewer, element] = [new EventTarget(), new FakeElement()];
  const asked = [];
  const held = new Facts(viewer, element, (uid) => new Promise((resolve) => asked.push([uid, resolve])));
  const show = (series_uid) => {
    viewer.shown = { stack: { series: { collection: "a", series_uid } }, identity: { sop_instance_uid: series_uid + ".1" }, frame: {} };
    viewer.dispatchEvent(new Event("shown"));
  };
  const facts = () => element.children.map(({ textContent }) => textContent);
  for (const series of ["1", "1", "2"]) show(series);
  assert.deepEqual(asked.map(([uid]) => uid), ["1.1", "2.1"]);
  asked[0][1]({ frames: [{ modality: "CT" }] });
  await new Promise(setImmediate);
  assert.deepEqual(facts(), []);
  show("1");
  assert.deepEqual(facts(), ["CT"]);
  assert.equal(asked.length, 2);
  held.renew({ find: () => undefined });
  assert.equal(asked.length, 2);
  held.renew({ find: () => ({}) });
  assert.deepEqual([facts(), asked.map(([uid]) => uid).at(-1)], [["CT"], "1.1"]);
  asked.at(-1)[1]({ frames: [{ modality: "CT", label: "proven" }] });
  await new Promise(setImmediate);
  assert.deepEqual(facts(), ["CT", "proven"]);
  show("2");
  assert.equal(asked.length, 4);
});
