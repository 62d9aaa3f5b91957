// The searches that a browser keeps: bounded, each once, of one login, and nothing that is none.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.mjs";
import { decode, encode } from "../../../service/page/static/js/state/address.js";
import { searchState } from "../../../service/page/static/js/state/current.js";
import { wordsOf } from "../../../service/page/static/js/state/history.js";
import { Searches } from "../../../service/page/static/js/state/searches.js";

browser();

class Storage extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, value);
  removeItem = (key) => this.delete(key);
}

const address = (number, more = {}) =>
  encode({ series: "1.1", search: { sop_instance_uid: `1.1.${number}`, frame_number: 1, k: 10 }, ...more });

test("searches are listed from the newest on, each once, and no more than a few dozen", () => {
  const searches = new Searches("me", new Storage());
  for (let number = 1; number <= 40; number += 1) searches.add(address(number), number);
  searches.add(address(39, { instance: "1.1.5" }), 50);
  assert.equal(searches.recent.length, 30);
  assert.deepEqual(searches.recent.slice(0, 3).map(({ at }) => at), [50, 40, 38]);
});

test("a saved search stays, whatever is searched for after it, until it is deleted", () => {
  const searches = new Searches("me", new Storage());
  searches.add(address(1), 1);
  searches.save(searches.recent[0], "  Nodule, upper lobe ");
  assert.deepEqual([searches.recent, searches.saved.map(({ name }) => name)], [[], ["Nodule, upper lobe"]]);
  for (let number = 1; number <= 40; number += 1) searches.add(address(number), number);
  assert.equal(searches.saved.length, 1);
  searches.save(searches.recent[0], "Nodule, upper lobe");
  assert.deepEqual(searches.saved.map(({ at }) => at), [40]);
  searches.save(searches.recent[0], "   ");
  assert.equal(searches.saved.length, 1);
  searches.remove(searches.saved[0]);
  assert.deepEqual(searches.saved, []);
});

test("a search that was fast is told as such for as long as it is kept, and one that is exact by choice", () => {
  const searches = new Searches("me", new Storage());
  searches.add(address(1), 1, true);
  assert.match(wordsOf(searches.recent[0], []), /10 hits, fast search$/);
  searches.save(searches.recent[0], "Nodule");
  assert.match(wordsOf(searches.saved[0], []), /10 hits, fast search$/);
  searches.add(address(1), 2);
  assert.match(wordsOf(searches.recent[0], []), /10 hits$/);
  const search = { sop_instance_uid: "1", search: "exact" };
  assert.match(wordsOf({ address: encode({ series: "1.1", search }) }, []), /10 hits, exact search$/);
});

test("saved searches are bounded too", () => {
  const searches = new Searches("me", new Storage());
  for (let number = 0; number < 120; number += 1) searches.save({ address: address(number), at: number }, `n${number}`);
  assert.equal(searches.saved.length, 100);
  assert.equal(searches.saved[0].name, "n119");
});

test("one login sees nothing of another, and clearing takes all of its own", () => {
  const storage = new Storage();
  const [mine, yours] = ["me", "you"].map((login) => new Searches(login, storage));
  mine.add(address(1));
  yours.add(address(2));
  assert.equal(mine.recent.length, 1);
  let told = 0;
  mine.addEventListener("changed", () => (told += 1));
  mine.clear();
  assert.deepEqual([mine.recent.length, yours.recent.length, told], [0, 1, 1]);
  yours.end();
  yours.add(address(3));
  assert.deepEqual([yours.recent.length, new Searches("you", storage).recent.length], [0, 0]);
});

test("what is no search is neither kept nor read", () => {
  const storage = new Storage();
  const searches = new Searches("me", storage);
  for (const other of ["", "?series=1.1", "https://elsewhere.example/", "javascript:alert(1)"]) searches.add(other);
  assert.deepEqual(searches.recent, []);
  const good = { address: address(1), at: 1, name: "" };
  const stored = ["{", "null", "3", JSON.stringify([null, 1, {}, { ...good, at: "x" }, { ...good, name: 5 }, { ...good, name: "x".repeat(99) }])];
  for (const text of stored) {
    storage.set("hmar.searches.me", text);
    assert.deepEqual([...searches.recent, ...searches.saved], []);
  }
});

test("without a storage, or with a full one, searching goes on", () => {
  const none = new Searches("me", null);
  none.add(address(1));
  none.clear();
  assert.deepEqual(none.recent, []);
  const full = new Storage();
  full.setItem = () => {
    throw new Error("full");
  };
  const searches = new Searches("me", full);
  searches.add(address(1));
  assert.deepEqual(searches.recent, []);
});

test("a search is told by what the archive says of its series, which is not stored", () => {
  const series = [{ series_uid: "1.1", collection: "default", modality: "CT", body_part: "CHEST" }];
  const region = { sop_instance_uid: "1", region: [1, 2, 3, 4], k: 5, mode: "local" };
  assert.equal(wordsOf({ address: encode({ series: "1.1", search: region }) }, series), "CT CHEST, 1 region, local, 5 hits");
  assert.equal(wordsOf({ address: address(1) }, []), "A series that is not listed, whole image, 10 hits");
});

test("a search is noted with its own image, whatever is on the screen by then", () => {
  const identity = { study_uid: "1", series_uid: "1.1", collection: "a", sop_instance_uid: "1.1.4", frame_number: 2 };
  const viewer = { shown: { identity: { ...identity, series_uid: "9.9" } }, chosenWindow: [40, 400, "HU"] };
  const box = { x: 1, y: 2, width: 3, height: 4 };
  const state = searchState({ viewer, reading: { query: { identity, regions: [{ box }] }, options: { k: 5 } } });
  assert.deepEqual([state.series, state.instance, state.frame, state.regions, state.window], ["1.1", "1.1.4", 2, [box], [40, 400, "HU"]]);
  assert.deepEqual(state.search, { sop_instance_uid: "1.1.4", frame_number: 2, region: [1, 2, 3, 4], k: 5 });
  assert.equal(searchState({ viewer, reading: { query: null, options: null } }), null);
  const ofFile = { query: { identity: { file: {}, frame_number: 1 }, regions: [] }, options: {} };
  assert.equal(searchState({ viewer, reading: ofFile }), null);
});

test("a search that is too long for an address is kept whole, and old ones make room for it", () => {
  const searches = new Searches("me", new Storage());
  const long = (number, length) => {
    const search = { sop_instance_uid: `1.1.${number}`, frame_number: 1, filters: { label: ["x".repeat(length)] } };
    return encode({ series: "1.1", search }, Infinity);
  };
  searches.add(long(1, 20_000), 1);
  assert.deepEqual(decode(searches.recent[0].address).search.filters.label[0].length, 20_000);
  searches.save(searches.recent[0], "Long");
  for (let number = 2; number <= 30; number += 1) searches.add(long(number, 100_000), number);
  assert.equal(searches.saved.length, 1);
  assert.equal(searches.recent[0].at, 30);
  assert.ok(searches.recent.length < 20);
});
