import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.mjs";
import { countText } from "../../../service/page/static/js/archive/list.js";
import { groupKeys, matching, rowsOf, seriesKey } from "../../../service/page/static/js/archive/rows.js";
import { pressed, TypeAhead } from "../../../service/page/static/js/archive/tree_keys.js";
import { wordsOf } from "../../../service/page/static/js/archive/words.js";

const series = (uid, study, patient, more = {}) => ({
  series_uid: uid, study_uid: study, patient, collection: "a", modality: "CT", body_part: "CHEST",
  study_date: "2020-01-01", frames: 3, label: null, series_description: null, ...more,
});
const SERIES = [
  series("1.1", "1", "aa", { study_date: "2021-05-01" }),
  series("1.2", "1", "aa", { study_date: "2021-05-01", modality: "PT" }),
  series("2.1", "2", "aa", { study_date: "2019-01-01" }),
  series("3.1", "3", "bb", { study_date: "2022-03-04", body_part: "HEAD", label: "proven", series_description: "FLAIR SAG" }),
  series("4.1", "4", null, { study_date: null, collection: "b" }),
];
const shape = (rows) => rows.map(({ kind, level, series: held }) => `${level} ${kind} ${held[0].series_uid}`);

test("series stand below their studies and patients, the newest first; a study of one series is one row", () => {
  assert.deepEqual(shape(rowsOf(SERIES)), [
    "1 patient 3.1",
    "2 series 3.1",
    "1 patient 1.1",
    "2 study 1.1",
    "3 series 1.1",
    "3 series 1.2",
    "2 series 2.1",
    "1 patient 4.1",
    "2 series 4.1",
  ]);
});

test("rows know their place among their siblings", () => {
  const rows = rowsOf(SERIES);
  assert.deepEqual(rows.filter(({ level }) => level === 1).map(({ position, count }) => [position, count]), [[1, 3], [2, 3], [3, 3]]);
  assert.deepEqual(rows.filter(({ level }) => level === 3).map(({ position, count }) => [position, count]), [[1, 2], [2, 2]]);
});

test("a closed group shows nothing of what it holds", () => {
  const [patient, study] = groupKeys(SERIES[0]);
  assert.equal(rowsOf(SERIES, { closed: new Set([study]) }).length, 7);
  const rows = rowsOf(SERIES, { closed: new Set([patient]) });
  assert.equal(rows.length, 5);
  assert.equal(rows[2].isOpen, false);
  assert.equal(rows[2].series.length, 3);
});

test("series can be sorted by date, UID and modality, and grouped by study or not at all", () => {
  const uids = (order) => rowsOf(SERIES, { order, group: "none" }).map(({ series: [one] }) => one.series_uid);
  assert.deepEqual(uids("newest"), ["3.1", "1.1", "1.2", "2.1", "4.1"]);
  assert.deepEqual(uids("oldest"), ["2.1", "1.1", "1.2", "3.1", "4.1"]);
  assert.deepEqual(uids("uid"), ["1.1", "1.2", "2.1", "3.1", "4.1"]);
  assert.deepEqual(uids("modality"), ["1.1", "2.1", "4.1", "3.1", "1.2"]);
  assert.equal(rowsOf(SERIES, { group: "study" })[1].kind, "study");
});

test("the same study in two collections is two", () => {
  const both = [SERIES[0], SERIES[1], { ...SERIES[0], collection: "b" }, { ...SERIES[1], collection: "b" }];
  assert.equal(rowsOf(both, { group: "study" }).filter(({ kind }) => kind === "study").length, 2);
  assert.notEqual(seriesKey(both[0]), seriesKey(both[2]));
});

test("a search finds series by every word in what is known of them, in upper or lower case", () => {
  const found = (text) => matching(SERIES, text).map(({ series_uid }) => series_uid);
  assert.deepEqual(found("pt"), ["1.2"]);
  assert.deepEqual(found("ct chest 2021"), ["1.1"]);
  assert.deepEqual(found("PROVEN head"), ["3.1"]);
  assert.deepEqual(found("flair"), ["3.1"]);
  assert.deepEqual(found("bb"), ["3.1"]);
  assert.deepEqual(found("mr"), []);
  assert.equal(matching(SERIES, "  "), SERIES);
});

test("two thousand series are searched and arranged", () => {
  const many = Array.from({ length: 2000 }, (_, at) => series(`1.${at}`, `2.${at >> 1}`, `p${at >> 2}`));
  assert.equal(matching(many, "1.1999").length, 1);
  assert.equal(rowsOf(many).length, 500 + 1000 + 2000);
});

test("words say what a row is, and a series in a study leaves out the date", () => {
  const [, single, patient, study] = rowsOf(SERIES);
  assert.deepEqual(wordsOf(patient), { name: "Patient aa", detail: "2 studies, 9 frames", brief: "2 studies" });
  assert.deepEqual(wordsOf(study), { name: "2021-05-01 CT, PT", detail: "2 series, 6 frames", brief: "2" });
  assert.equal(wordsOf(rowsOf(SERIES)[4]).detail, "3 frames · …1.1");
  assert.equal(wordsOf(single).name, "CT HEAD");
  assert.equal(wordsOf(single).detail, "3 frames · FLAIR SAG · 2022-03-04 · proven · …3.1");
  assert.equal(wordsOf(rowsOf(SERIES).at(-2)).name, "Without patient id");
});

test("what is listed is counted, and how many of all where some are left out", () => {
  browser();
  assert.equal(countText(SERIES, SERIES), "5 series, 15 frames");
  assert.equal(countText(SERIES.slice(0, 1), SERIES), "1 of 5 series, 3 frames");
  assert.equal(countText([], []), "");
});

test("arrows, Home, End and pages go through the rows and end at both ends", () => {
  const rows = rowsOf(SERIES);
  const to = (at, key) => pressed(rows, at, key, 4).to;
  assert.deepEqual([to(0, "ArrowDown"), to(0, "ArrowUp"), to(3, "PageDown"), to(3, "PageUp")], [1, 0, 7, 0]);
  assert.deepEqual([to(4, "Home"), to(4, "End"), to(8, "ArrowDown")], [0, 8, 8]);
  assert.equal(pressed(rows, 0, "x"), null);
  assert.equal(pressed([], -1, "ArrowDown"), null);
});

test("the right arrow opens a group and goes into it, the left one closes it and goes out to it", () => {
  const [patient] = groupKeys(SERIES[0]);
  const shut = rowsOf(SERIES, { closed: new Set([patient]) });
  assert.equal(pressed(shut, 2, "ArrowRight").toggle, shut[2]);
  const rows = rowsOf(SERIES);
  assert.equal(pressed(rows, 2, "ArrowRight").to, 3);
  assert.equal(pressed(rows, 2, "ArrowLeft").toggle, rows[2]);
  assert.equal(pressed(rows, 5, "ArrowLeft").to, 3);
  assert.equal(pressed(rows, 6, "ArrowLeft").to, 2);
  assert.equal(pressed(rows, 6, "ArrowRight"), null);
});

test("Enter opens a series, and opens or closes a group", () => {
  const rows = rowsOf(SERIES);
  assert.equal(pressed(rows, 1, "Enter").choose, rows[1]);
  assert.equal(pressed(rows, 2, " ").toggle, rows[2]);
});

test("letters name the next row that begins with them, and go on while they come quickly", () => {
  const rows = ["CT CHEST", "CT HEAD", "MR HEAD", "CT ABDOMEN"].map((name) => ({ name }));
  const typed = new TypeAhead();
  const nameOf = ({ name }) => name;
  assert.equal(typed.next(rows, 0, "m", nameOf, 0), 2);
  assert.equal(typed.next(rows, 2, "c", nameOf, 2000), 3);
  assert.equal(typed.next(rows, 3, "t", nameOf, 2100), 3);
  assert.equal(typed.next(rows, 3, "c", nameOf, 4000), 0);
  assert.equal(typed.next(rows, 0, "z", nameOf, 6000), -1);
});
