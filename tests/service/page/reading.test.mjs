// A reader's way through searches: what was asked for last is what is searched for last.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.mjs";
import { Reading } from "../../../service/page/static/js/reading.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A page with an image on the screen, whose searches end when they are let. */
function reader() {
  browser();
  const asked = [];
  const search = (item, regions, fields) =>
    new Promise((resolve, fail) => asked.push({ item, fields, fail, end: (answer = { hits: [] }) => resolve(answer) }));
  const viewer = { chosenWindow: null, regions: [], show: (key) => Object.assign(viewer, { shown: { item: { key }, stack: { search }, frame: {} } }) };
  const hits = {
    show: (answer, query) => Object.assign(hits, { query, ranks: [...answer.hits] }),
    extend: (further) => hits.ranks.push(...further),
    compareWith() {},
    clear() {},
  };
  viewer.show("first");
  return { asked, viewer, hits, reading: new Reading({ viewer, archive: { check() {} }, hits }) };
}

test("a search that is asked for during another is made after it, the last one alone, and none twice", async () => {
  const { asked, viewer, hits, reading } = reader();
  const first = reading.search({ k: 1 });
  const same = reading.search({ k: 1 });
  viewer.show("second");
  const second = reading.search({ k: 1 });
  viewer.show("third");
  const third = reading.search({ k: 1 });
  assert.deepEqual(asked.map(({ item }) => item.key), ["first"]);
  asked[0].end();
  await Promise.all([first, same, second]);
  await settled();
  assert.deepEqual(asked.map(({ item }) => item.key), ["first", "third"]);
  asked[1].end();
  await third;
  assert.equal(hits.query.item.key, "third");
  const fourth = reading.search({ k: 2 });
  viewer.show("fifth");
  const fifth = reading.search({ k: 2 });
  viewer.shown = { ...viewer.shown, item: asked[2].item };
  const again = reading.search({ k: 2 });
  asked[2].end();
  await Promise.all([fourth, fifth, again]);
  assert.deepEqual([asked.length, hits.query.item], [3, asked[2].item]);
  assert.equal(reading.isSearching, false);
});

test("a search that waits is given up for what is asked for after it", async () => {
  const { asked, viewer, reading } = reader();
  const first = reading.search({});
  viewer.show("second");
  const second = reading.search({});
  const ended = reading.ended();
  asked[0].end();
  await Promise.all([first, second, ended]);
  assert.equal(asked.length, 1);
});

test("who waits for the end of a search waits for the one that follows at once, too", async () => {
  const { asked, reading } = reader();
  await reading.ended();
  const first = reading.search({});
  let isEnded = false;
  const waited = reading.ended().then(() => (isEnded = true));
  reading.addEventListener("query", () => reading.searchAgain({ k: 2 }), { once: true });
  asked[0].end();
  await first;
  await settled();
  assert.equal(isEnded, false);
  asked[1].end();
  await waited;
});

test("more hits follow those shown, and are told of with them", async () => {
  const { asked, hits, reading } = reader();
  const first = reading.search({ k: 2, mode: "local" });
  const [earlier, later] = [0.99, 0.98].map((expected_recall) => ({ made: "fast", expected_recall }));
  asked[0].end({ hits: [1, 2], next: "a", model: "m", search: earlier });
  await first;
  const more = reading.more(2);
  assert.equal(reading.isSearching, true);
  assert.deepEqual(asked[1].fields, { k: 1000, mode: "local", limit: 2, cursor: "a" });
  asked[1].end({ hits: [3], next: null, search: later });
  await more;
  assert.deepEqual(hits.ranks, [1, 2, 3]);
  // What is told of the last page is of all hits up to it.
  assert.deepEqual(reading.answer, { hits: [1, 2, 3], next: null, model: "m", search: later });
  assert.deepEqual([reading.options, reading.hasMore], [{ k: 4, mode: "local" }, false]);
});

test("where the state that hits are of is gone, as many are searched for anew", async () => {
  const { asked, hits, reading } = reader();
  const first = reading.search({ k: 1 });
  asked[0].end({ hits: [1], next: "a" });
  await first;
  const more = reading.more(1);
  asked[1].fail({ status: 400 });
  await settled();
  assert.deepEqual(asked[2].fields, { k: 1000, limit: 2 });
  asked[2].end({ hits: [8, 9], next: "b" });
  await more;
  assert.deepEqual([hits.ranks, reading.options], [[8, 9], { k: 2 }]);
  const failing = reading.more(1);
  asked[3].fail({ status: 503 });
  await assert.rejects(failing, { status: 503 });
  assert.deepEqual([hits.ranks, reading.options, reading.isSearching], [[8, 9], { k: 2 }, false]);
});
