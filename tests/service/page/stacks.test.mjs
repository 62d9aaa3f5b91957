import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, picture } from "./browser.mjs";
import { FileStack, IndexedStack } from "../../../service/page/static/js/stacks.js";

const file = (name) => Object.assign(new Blob([name]), { name });
const names = (stack) => stack.frames.map(({ file, number }) => `${file.name}/${number}`);

test("files are in the order in which people count", () => {
  browser();
  assert.deepEqual(names(new FileStack(["10.dcm", "9.dcm", "1.dcm"].map(file))), ["1.dcm/1", "9.dcm/1", "10.dcm/1"]);
});

test("a file's further frames stand behind its first once that is shown, and never twice", async () => {
  browser(() => picture({ "X-HMAR-Frames": "3" }));
  const stack = new FileStack(["a", "b"].map(file));
  await stack.picture(0);
  assert.deepEqual(names(stack), ["a/1", "a/2", "a/3", "b/1"]);
  await stack.picture(0);
  await stack.picture(1);
  assert.equal(stack.length, 4);
});

test("what is loaded ahead moves no place", async () => {
  browser(() => picture({ "X-HMAR-Frames": "3" }));
  const stack = new FileStack(["a", "b"].map(file));
  await stack.preload(0);
  assert.equal(stack.length, 2);
});

test("a picture is asked for once, another display window is another picture", async () => {
  const { requests } = browser(() => picture());
  const stack = new IndexedStack({}, [{ sop_instance_uid: "1.2", frame_number: 1 }]);
  await stack.picture(0, null);
  await stack.picture(0, null);
  await stack.picture(0, [40, 400, "HU"]);
  assert.deepEqual(
    requests.map(({ path }) => path),
    ["/api/v1/instances/1.2/frames/1/image", "/api/v1/instances/1.2/frames/1/image?centre=40&width=400&units=HU"],
  );
});

test("a picture that did not come is asked for again", async () => {
  let broken = true;
  const { requests } = browser(() => (broken ? new Response("", { status: 503 }) : picture()));
  const stack = new IndexedStack({}, [{ sop_instance_uid: "1.2", frame_number: 1 }]);
  await assert.rejects(stack.picture(0, null));
  broken = false;
  assert.equal((await stack.picture(0, null)).columns, 128);
  assert.equal(requests.length, 2);
});

test("eighty pictures are kept, those used last", async () => {
  const { requests } = browser(() => picture());
  const frames = Array.from({ length: 81 }, (_, i) => ({ sop_instance_uid: `1.${i}`, frame_number: 1 }));
  const stack = new IndexedStack({}, frames);
  for (let i = 0; i < 80; i++) await stack.picture(i, null);
  await stack.picture(0, null);
  await stack.picture(80, null);
  assert.equal(requests.length, 81);
  await stack.picture(0, null);
  assert.equal(requests.length, 81);
  await stack.picture(1, null);
  assert.equal(requests.length, 82);
});

test("a frame is found by instance and number", () => {
  browser();
  const frames = [1, 2].map((frame_number) => ({ sop_instance_uid: "1.2", frame_number }));
  const stack = new IndexedStack({}, frames);
  assert.equal(stack.find("1.2", 2), 1);
  assert.equal(stack.find("1.3", 1), -1);
});
