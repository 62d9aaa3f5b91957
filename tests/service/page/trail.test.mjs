// The way through the page in the browser's history, with a page and a history that stand still.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.mjs";

/** A history as browsers keep it: entries, and a place among them. */
class FakeHistory {
  entries = [{ state: null, address: "/" }];
  place = 0;

  get state() {
    return this.entries[this.place].state;
  }

  pushState(state, _, address) {
    this.entries.splice(this.place + 1, Infinity, { state, address });
    this.place += 1;
  }

  replaceState(state, _, address) {
    this.entries[this.place] = { state, address };
  }
}

const settled = async () => {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A page over one series of nine images, and the trail through it. */
async function trailed(query = "") {
  browser();
  const page = new EventTarget();
  const history = new FakeHistory();
  history.entries[0].address = `/${query}`;
  const location = {
    pathname: "/",
    get search() {
      return history.entries[history.place].address.slice(1);
    },
  };
  Object.assign(globalThis, { history, location });
  globalThis.window.addEventListener = (type, use) => page.addEventListener(type, use);
  const { Trail } = await import("../../../service/page/static/js/state/trail.js");

  const series = { study_uid: "1", series_uid: "1.1", collection: "a" };
  const items = Array.from({ length: 9 }, (_, i) => ({
    key: String(i),
    identity: { ...series, sop_instance_uid: `1.1.${i}`, frame_number: 1 },
  }));
  const stack = { id: 1, series, items, middle: items[4], find: (uid) => items[uid.at(-1)] };
  const files = { id: 2, series: null, items: [{ key: "f", identity: { file: new Blob([]), frame_number: 1 } }] };
  const viewer = Object.assign(new EventTarget(), {
    shown: null,
    regions: [],
    regionsOf: () => [],
    chosenWindow: null,
    isInverted: false,
    placement: { flipped: false, turns: 0 },
    draw() {},
    setWindow: (chosen) => Object.assign(viewer, { chosenWindow: chosen }),
    show(at, item) {
      Object.assign(viewer, { stack: at, shown: { item, identity: item.identity, index: at.items.indexOf(item) } });
      viewer.dispatchEvent(new Event("shown"));
    },
  });
  let slow = Promise.resolve();
  const reading = Object.assign(new EventTarget(), {
    query: null,
    searches: [],
    going: Promise.resolve(),
    ended: () => reading.going,
    placeIn: ({ box }) => box,
    async searchAs(options) {
      reading.searches.push(options);
      reading.query = { identity: viewer.shown.identity, regions: [] };
    },
    stackOf: async () => {
      await slow;
      return stack;
    },
    async openStack(at, item, what) {
      reading.what = what;
      reading.dispatchEvent(new Event("opening"));
      await settled();
      viewer.show(at, item);
      reading.dispatchEvent(new Event("opened"));
    },
  });
  const compare = Object.assign(new EventTarget(), { beside: null, restore: async () => {} });
  const archive = { series: [series], find: (_, collection) => (collection === "a" ? series : undefined) };
  globalThis.fetch = async () => Response.json({ collection: "a", frames: [{ series_uid: "1.1" }] });
  const hits = { hit: undefined, find: () => hits.hit, markOpen() {} };
  const app = { viewer, reading, compare, archive, hits, guarded: (action) => action() };
  const trail = new Trail(app);
  trail.start();
  const back = async () => {
    history.place -= 1;
    page.dispatchEvent(new Event("popstate"));
    await settled();
    await settled();
  };
  const hold = () => {
    let go;
    slow = new Promise((resolve) => (go = resolve));
    return go;
  };
  return { trail, history, viewer, reading, hits, stack, files, back, hold };
}

const instances = ({ entries }) => entries.map(({ address }) => new URLSearchParams(address.slice(1)).get("instance"));

test("an address is not written over before it was read", async () => {
  const { trail, history, viewer } = await trailed("?instance=1.1.3");
  viewer.dispatchEvent(new Event("shown"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(instances(history), ["1.1.3"]);
  await trail.restore();
  assert.equal(viewer.shown.index, 3);
  assert.equal(history.entries.length, 1);
});

test("each image that is opened is a step, scrolling changes the step, and Back leads to where it was left", async () => {
  const { trail, history, viewer, reading, stack, back } = await trailed();
  await trail.restore();
  await reading.openStack(stack, stack.items[4]);
  assert.deepEqual(instances(history), ["1.1.4"]);
  viewer.show(stack, stack.items[6]);
  await reading.openStack(stack, stack.items[1]);
  assert.deepEqual(instances(history), ["1.1.6", "1.1.1"]);
  await back();
  assert.equal(viewer.shown.index, 6);
  assert.deepEqual(instances(history), ["1.1.6", "1.1.1"]);
});

test("a reader who goes elsewhere while a state is restored stays there", async () => {
  const { trail, history, viewer, reading, stack, hold } = await trailed("?instance=1.1.3");
  const go = hold();
  const restored = trail.restore();
  await settled();
  await reading.openStack(stack, stack.items[8]);
  go();
  await restored;
  await settled();
  assert.equal(viewer.shown.index, 8);
  assert.equal(instances(history).at(-1), "1.1.8");
});

const FOUND = { sop_instance_uid: "1.1.5", frame_number: 1, box: { x: 1, y: 2, width: 3, height: 4 } };
const searched = (more) => `?${new URLSearchParams({ instance: "1.1.5", search: JSON.stringify({ sop_instance_uid: "1.1.3", ...more }) })}`;

test("the image of a search is found in its own collection, whichever its hits are of", async () => {
  const { trail, viewer, reading } = await trailed(searched({ k: 5, collection: "b" }));
  await trail.restore();
  assert.deepEqual(reading.searches, [{ k: 5, collection: "b" }]);
  assert.equal(viewer.shown.index, 5);
});

test("what was drawn on a hit comes back; where nothing was, the place that was found does", async () => {
  const found = await trailed(searched());
  found.hits.hit = FOUND;
  await found.trail.restore();
  assert.deepEqual(found.reading.what, { regions: [], found: FOUND.box });
  const drawn = await trailed(`${searched()}&region=5,6,7,8`);
  drawn.hits.hit = FOUND;
  await drawn.trail.restore();
  assert.deepEqual(drawn.reading.what, { regions: [{ box: { x: 5, y: 6, width: 7, height: 8 } }], found: null });
});

test("a search that goes on is waited for, and its hits do not come in place of those of the state", async () => {
  const { trail, viewer, reading } = await trailed(searched());
  let end;
  reading.going = new Promise((resolve) => (end = resolve));
  const restored = trail.restore();
  await settled();
  assert.deepEqual([reading.searches, viewer.shown], [[], null]);
  end();
  await restored;
  assert.equal(reading.searches.length, 1);
});

test("files come back by Back, and an address that cannot be opened is kept", async () => {
  const { trail, history, viewer, reading, stack, files, back } = await trailed();
  await trail.restore();
  await reading.openStack(files, files.items[0]);
  await reading.openStack(stack, stack.items[2]);
  assert.deepEqual(history.entries.map(({ address }) => address.length > 1), [false, true]);
  await back();
  assert.equal(viewer.shown.item, files.items[0]);
  const other = await trailed("?study=9");
  await assert.rejects(other.trail.restore(), { title: "The image is not indexed" });
  assert.equal(other.history.entries[0].address, "/?study=9");
});

test("a search that is too long for an address lies beside it, and comes back over a reload", async () => {
  const { trail, history, reading } = await trailed();
  await trail.restore();
  const search = { sop_instance_uid: "1.1.3", k: 5, filters: { label: ["x".repeat(3000)] } };
  await trail.go(`?${new URLSearchParams({ instance: "1.1.3", search: JSON.stringify(search) })}`);
  const { sop_instance_uid: _, ...options } = search;
  assert.deepEqual(reading.searches, [options]);
  assert.ok(history.entries.at(-1).address.length < 1000);
  const reloaded = await trailed(history.entries.at(-1).address.slice(1));
  reloaded.history.entries[0].state = { search };
  await reloaded.trail.restore();
  assert.deepEqual(reloaded.reading.searches, [options]);
});

test("how the picture is turned is in the address, and comes back", async () => {
  const { trail, history, viewer, reading, stack } = await trailed("?instance=1.1.3&view=invert,90");
  await trail.restore();
  assert.deepEqual([viewer.isInverted, viewer.placement], [true, { flipped: false, turns: 1 }]);
  Object.assign(viewer, { isInverted: false, placement: { flipped: true, turns: 0 } });
  await reading.openStack(stack, stack.items[1]);
  assert.deepEqual(
    history.entries.map(({ address }) => new URLSearchParams(address.slice(1)).get("view")),
    ["flip", "flip"],
  );
});
