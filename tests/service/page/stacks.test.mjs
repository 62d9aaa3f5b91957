import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, pixels } from "./browser.mjs";
import { FileStack, IndexedStack } from "../../../service/page/static/js/viewing/stacks.js";

const file = (name) => Object.assign(new Blob([name]), { name });
const names = (stack) => stack.items.map(({ identity }) => `${identity.file.name}/${identity.frame_number}`);
const LISTED = [1, 2].map((frame_number) => ({ sop_instance_uid: "1.2", frame_number, rows: 2, columns: 3 }));
const SERIES = { collection: "a", study_uid: "1", series_uid: "1.1" };

test("files are in the order in which people count", () => {
  browser();
  assert.deepEqual(names(new FileStack(["10.dcm", "9.dcm", "1.dcm"].map(file))), ["1.dcm/1", "9.dcm/1", "10.dcm/1"]);
});

test("a file's further frames stand behind its first once that was drawn, and never twice", async () => {
  browser(() => pixels({ Frames: "3" }));
  const stack = new FileStack(["a", "b"].map(file));
  const [a, b] = stack.items;
  await a.load();
  assert.equal(stack.length, 2);
  stack.expand(a);
  assert.deepEqual(names(stack), ["a/1", "a/2", "a/3", "b/1"]);
  assert.equal(stack.indexOf(b), 3);
  for (const item of [a, stack.items[1]]) {
    await item.load();
    stack.expand(item);
  }
  assert.equal(stack.length, 4);
});

test("a frame is found by instance and number", () => {
  browser();
  const stack = new IndexedStack(SERIES, LISTED);
  assert.equal(stack.find("1.2", 2), stack.items[1]);
  assert.equal(stack.find("1.3", 1), undefined);
});

test("a frame knows which it is, whatever else is loaded", async () => {
  browser(() => pixels());
  const stack = new IndexedStack(SERIES, LISTED);
  const frames = await Promise.all(stack.items.map((item) => item.load()));
  assert.deepEqual(
    frames.map(({ identity }) => identity),
    LISTED.map(({ sop_instance_uid, frame_number }) => ({ ...SERIES, sop_instance_uid, frame_number })),
  );
});

test("what was searched for is the item that is given", async () => {
  const { requests } = browser(() => Response.json({ hits: [] }));
  const stack = new IndexedStack(SERIES, LISTED);
  await stack.search(stack.items[1], [], { k: 3 });
  assert.deepEqual(JSON.parse(requests[0].body), { sop_instance_uid: "1.2", frame_number: 2, query_collection: SERIES.collection, k: 3 });
});
