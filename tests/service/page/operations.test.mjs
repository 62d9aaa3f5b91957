import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.mjs";
import { byMonth, shortened, summed } from "../../../service/page/static/js/operations/chart.js";
import { blocksOf } from "../../../service/page/static/js/operations/markdown.js";
import { guarded, renewed } from "../../../service/page/static/js/operations/page.js";
import { isEverything, wantedOf } from "../../../service/page/static/js/operations/pull.js";

const ROWS = [
  { modality: "CT", day: "2020-11-03", frames: 3 },
  { modality: "MR", day: "2021-01-09", frames: 10 },
  { modality: "CT", day: "2020-11-30", frames: 4 },
  { modality: "CT", day: null, frames: 1 },
];
const frames = (row) => row.frames;

test("values are added up by name, the largest first", () => {
  assert.deepEqual(summed(ROWS, ({ modality }) => modality, frames), [["MR", 10], ["CT", 8]]);
});

test("a month without frames is 0, and rows without a day are left out", () => {
  assert.deepEqual(byMonth(ROWS, ({ day }) => day, frames), [["2020-11", 7], ["2020-12", 0], ["2021-01", 10]]);
  assert.deepEqual(byMonth([], ({ day }) => day, frames), []);
});

test("what is beyond the first bars is one bar", () => {
  const pairs = [["a", 5], ["b", 4], ["c", 2], ["d", 1]];
  assert.deepEqual(shortened(pairs, 3), [["a", 5], ["b", 4], ["2 others", 3]]);
  assert.equal(shortened(pairs, 4), pairs);
});

test("a card is split at headings, lists, tables and empty lines", () => {
  const card = "# A\nText of\ntwo lines\n\n- one\n  more\n- two\n| a |\n|---|\n| 1 |\n## B\n";
  assert.deepEqual(blocksOf(card), [
    ["# A"],
    ["Text of", "two lines"],
    ["- one", "  more", "- two"],
    ["| a |", "|---|", "| 1 |"],
    ["## B"],
  ]);
});

const EMPTY = { name: "main", study_uid: "", series_uid: "", modality: "", since: "", until: "", collection: "default", label: "" };

test("a pull asks for what the form says, and for everything where nothing limits it", () => {
  assert.deepEqual(wantedOf(EMPTY), { pacs: { name: "main" }, collection: "default" });
  assert.ok(isEverything(wantedOf({ ...EMPTY, label: "prior" })));
  const filled = { ...EMPTY, name: " main ", study_uid: " 1.2.3 ", modality: "ct", since: "2026-01-31", label: " prior " };
  const wanted = wantedOf(filled);
  assert.deepEqual(wanted, {
    pacs: { name: "main", study_uid: "1.2.3", modality: "CT", since: "2026-01-31" },
    collection: "default",
    label: "prior",
  });
  assert.ok(!isEverything(wanted));
});

test("a page that renews itself takes away no problem but its own", async () => {
  const { byId } = browser();
  const fails = () => Promise.reject(new Error("no"));
  await guarded(fails);
  await renewed(async () => {});
  assert.equal(byId("problem").hidden, false);
  await guarded(async () => {});
  await renewed(fails);
  assert.equal(byId("problem").hidden, false);
  await renewed(async () => {});
  assert.equal(byId("problem").hidden, true);
});
