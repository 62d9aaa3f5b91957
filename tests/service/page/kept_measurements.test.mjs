// Measurements outlast a reload of the tab: as UIDs and numbers, bounded, for the login that made them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { KeptMeasurements } from "../../../service/page/static/js/tools/kept_measurements.js";
import { Measurements } from "../../../service/page/static/js/tools/measurements.js";

class Storage extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, value);
  removeItem = (key) => this.delete(key);
}

const item = (number, collection = "a") => ({ key: `${collection}/1.2.${number}/1` });
const LENGTH = { kind: "length", points: [[1, 2], [3.25, 4]] };
const AREA = { kind: "area", points: [[1, 2], [3, 4], [5, 1]] };

function reloaded(storage, login = "me") {
  const measurements = new Measurements();
  return { measurements, kept: new KeptMeasurements(measurements, login, storage) };
}

test("what was measured on an image comes back on it, and on no copy of another collection", () => {
  const storage = new Storage();
  const { measurements, kept } = reloaded(storage);
  measurements.set(item(1), [LENGTH, AREA]);
  measurements.set(item(2), [LENGTH]);
  measurements.set(item(2), []);
  kept.write();
  const { measurements: again } = reloaded(storage);
  assert.deepEqual(again.of(item(1)), [LENGTH, AREA]);
  assert.deepEqual([again.of(item(2)), again.of(item(1, "b"))], [[], []]);
});

test("nothing of files of this computer is kept, nor for another login, nor once the login ends", () => {
  const storage = new Storage();
  const { measurements, kept } = reloaded(storage);
  measurements.set({ key: "file 3/0/1" }, [LENGTH]);
  measurements.set(item(1), [LENGTH]);
  kept.write();
  assert.doesNotMatch(storage.get("hmar.measured"), /file/);
  assert.deepEqual(reloaded(storage, "you").measurements.of(item(1)), []);
  kept.end();
  measurements.set(item(2), [LENGTH]);
  kept.write();
  assert.equal(storage.size, 0);
});

test("of too much the images that were measured first are let go", () => {
  const storage = new Storage();
  const { measurements, kept } = reloaded(storage);
  const points = Array.from({ length: 500 }, (_, i) => [i + 0.25, i + 0.75]);
  for (let number = 1; number <= 100; number += 1) measurements.set(item(number), [{ kind: "area", points }]);
  measurements.set(item(1), [LENGTH]);
  kept.write();
  assert.ok(storage.get("hmar.measured").length < 220_000);
  const { measurements: again } = reloaded(storage);
  assert.deepEqual([again.of(item(1)), again.of(item(2)), again.of(item(100)).length], [[LENGTH], [], 1]);
});

test("what somebody else wrote there is left out", () => {
  const good = [item(1).key, [LENGTH]];
  const bad = [
    ["a/1.2/1", [{ kind: "name", points: [[1, 2], [3, 4]] }]],
    ["a/1.2/1", [{ kind: "length", points: [[1, null], [3, 4]] }]],
    ["a/1.2/1", [{ kind: "area", points: [[1, 2], [3, 4]] }]],
    ["../x", [LENGTH]],
  ];
  for (const frames of [[good, ...bad]]) {
    const storage = new Storage([["hmar.measured", JSON.stringify({ login: "me", frames })]]);
    assert.deepEqual(reloaded(storage).measurements.entries, [good]);
  }
  for (const text of ["{", "null", '{"login":"me"}', '{"login":"me","frames":[1]}']) {
    assert.deepEqual(reloaded(new Storage([["hmar.measured", text]])).measurements.entries, []);
  }
});
