import assert from "node:assert/strict";
import { test } from "node:test";

import { ageBand, bandOf, sexText } from "../../../service/page/static/js/persons.js";

test("ages are told in bands of ten years, from 90 on in one, and unknown ones not at all", () => {
  const bands = ["0–9 years", "0–9 years", "10–19 years", "50–59 years", "80–89 years", "90 years and above", "90 years and above"];
  assert.deepEqual([0, 9, 10, 57, 89, 90, 120].map(ageBand), bands);
  assert.deepEqual([null, undefined].map(ageBand), [null, null]);
  assert.deepEqual([0, 57, 90, 120].map(bandOf), [0, 50, 90, 90]);
});

test("a sex is told in words", () => {
  assert.deepEqual(["F", "M", "O"].map(sexText), ["female", "male", "other sex"]);
});
