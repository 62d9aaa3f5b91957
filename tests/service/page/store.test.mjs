import assert from "node:assert/strict";
import { test } from "node:test";

import { frameBytes, FrameStore } from "../../../service/page/static/js/pixels/store.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Items whose frames come when the test lets them. */
function slowItems(count, bytes = 10) {
  const asked = [];
  const items = Array.from({ length: count }, (_, number) => ({
    key: `${number}`,
    bytes,
    load: (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(Object.assign(new Error("given up"), { name: "AbortError" })));
        asked.push({ number, come: () => resolve({ number, bytes }), fail: () => reject(new Error("gone")) });
      }),
  }));
  return { items, asked };
}

async function comeAll(asked) {
  for (let i = 0; i < asked.length; i += 1) {
    asked[i].come();
    await settled();
  }
}

test("an item is loaded once, however often it is asked for, and then is in memory", async () => {
  const store = new FrameStore(100);
  const { items, asked } = slowItems(1);
  const both = [store.get(items[0]), store.get(items[0])];
  assert.equal(store.peek(items[0]), null);
  asked[0].come();
  assert.equal(await both[0], await both[1]);
  assert.equal((await store.get(items[0])).number, 0);
  assert.equal(asked.length, 1);
});

test("the items ahead are loaded first, a few at a time", async () => {
  const store = new FrameStore(1000, 2);
  const { items, asked } = slowItems(8);
  store.follow("viewer", items, 4, 1);
  assert.equal(asked.length, 2);
  await comeAll(asked);
  assert.deepEqual(asked.map(({ number }) => number), [4, 5, 6, 3, 7, 2, 1, 0]);
});

test("a plan goes no further than the memory does, and what lies outside of it is let go of first", async () => {
  const store = new FrameStore(50, 2);
  const { items, asked } = slowItems(20);
  store.follow("viewer", items, 0, 1);
  await comeAll(asked);
  assert.deepEqual(items.filter((item) => store.has(item)).map(({ key }) => Number(key)), [0, 1, 2, 3, 4]);
  store.follow("viewer", items, 10, 1);
  await comeAll(asked.slice(5));
  await settled();
  assert.equal(store.bytes, 50);
  assert.ok(store.has(items[10]));
  assert.ok(!store.has(items[0]));
});

test("what is on its way for a plan that has moved on is given up, what somebody waits for is not", async () => {
  const store = new FrameStore(1000, 2);
  const { items, asked } = slowItems(30);
  store.follow("viewer", items.slice(0, 10), 0, 1);
  const waited = store.get(items[1]);
  store.follow("viewer", items.slice(20), 0, 1);
  await settled();
  assert.deepEqual(asked.map(({ number }) => number), [0, 1, 20]);
  asked[1].come();
  assert.equal((await waited).number, 1);
});

test("an item whose load was given up is loaded anew for whoever wants it at once", async () => {
  const store = new FrameStore(1000, 1);
  const { items, asked } = slowItems(30);
  store.follow("viewer", items.slice(0, 10), 0, 1);
  store.follow("viewer", items.slice(20), 0, 1);
  const wanted = store.get(items[0]);
  assert.deepEqual(asked.map(({ number }) => number), [0, 20, 0]);
  asked[2].come();
  assert.equal((await wanted).number, 0);
});

test("an item that failed is not planned again, but comes when it is asked for", async () => {
  const store = new FrameStore(1000, 1);
  const { items, asked } = slowItems(1);
  store.follow("viewer", items, 0, 1);
  asked[0].fail();
  await settled();
  store.follow("viewer", items, 0, 1);
  assert.equal(asked.length, 1);
  const again = store.get(items[0]);
  asked[1].come();
  assert.equal((await again).number, 0);
});

test("two viewers share one memory, and neither loses what it has on the screen to the other", async () => {
  const store = new FrameStore(40, 2);
  const one = slowItems(4);
  const other = slowItems(4);
  other.items.forEach((item) => Object.assign(item, { key: `other ${item.key}` }));
  store.follow("one", one.items, 0, 1);
  await comeAll(one.asked);
  store.follow("other", other.items, 0, 1);
  await comeAll(other.asked);
  assert.ok(store.has(one.items[0]));
  assert.ok(store.has(other.items[0]));
  assert.ok(store.bytes <= 40);
});

test("a small device gives less memory to frames", () => {
  assert.ok(frameBytes(2) < frameBytes(8));
});
