// What an address names is found in the archive, or said to be missing.

import assert from "node:assert/strict";
import test from "node:test";

import { browser } from "./browser.mjs";
import { decode } from "../../../service/page/static/js/state/address.js";
import { launched } from "../../../service/page/static/js/state/launch.js";

const SERIES = [
  { study_uid: "1", series_uid: "1.1", collection: "a", frames: 3 },
  { study_uid: "1", series_uid: "1.2", collection: "a", frames: 5 },
  { study_uid: "1", series_uid: "1.2", collection: "b", frames: 5 },
  { study_uid: "2", series_uid: "2.1", collection: "b", frames: 1 },
];
const archive = {
  series: SERIES,
  find: (uid, collection) => SERIES.find((one) => one.series_uid === uid && one.collection === collection),
};
const ITEM = { key: "item" };
const stack = { middle: { key: "middle" }, find: (uid, frame) => (uid === "1.2.7" && frame === 2 ? ITEM : undefined) };
const read = async (_, collection = "a") => ({ collection: collection ?? "a", frames: [{ series_uid: "1.2" }] });
const at = (query, how = read) => launched(decode(query), archive, how);

browser();

test("an address that names nothing opens nothing", async () => {
  assert.equal(await at(""), null);
  assert.equal(await at("region=1,2,3,4"), null);
});

test("a study opens at the middle of its first series, a series at its own", async () => {
  const study = await at("study=1");
  assert.deepEqual([study.series, study.itemIn(stack)], [SERIES[0], stack.middle]);
  assert.equal((await at("study=1&series=1.2")).series, SERIES[1]);
  assert.equal((await at("series=2.1")).series, SERIES[3]);
});

test("an instance opens at its frame, in the collection that is named", async () => {
  const opened = await at("study=1&instance=1.2.7&frame=2");
  assert.deepEqual([opened.series, opened.itemIn(stack)], [SERIES[1], ITEM]);
  assert.equal((await at("instance=1.2.7&collection=b")).series, SERIES[2]);
  assert.equal((await at("series=1.2&collection=b")).series, SERIES[2]);
});

test("an instance of several collections is looked for in that which is named, else in the first", async () => {
  const asked = [];
  const noted = (uid, collection) => asked.push(collection) && read(uid, collection);
  assert.equal((await at("instance=1.2.7&collection=b", noted)).series, SERIES[2]);
  assert.equal((await at("instance=1.2.7", noted)).series, SERIES[1]);
  assert.deepEqual(asked, ["b", null]);
});

test("what the archive does not hold, or not for this login, is said to be missing", async () => {
  for (const query of ["study=9", "study=2&series=1.1", "study=2&instance=1.2.7", "series=1.1&collection=b"]) {
    await assert.rejects(at(query), { title: "The image is not indexed" });
  }
  const opened = await at("instance=1.2.7&frame=9");
  assert.throws(() => opened.itemIn(stack), { title: "The image is not indexed" });
  for (const status of [403, 404]) {
    await assert.rejects(at("instance=1.2.7", () => Promise.reject({ status })), { title: "The image is not indexed" });
  }
  await assert.rejects(at("instance=1.2.7", () => Promise.reject({ status: 500 })), { status: 500 });
});
