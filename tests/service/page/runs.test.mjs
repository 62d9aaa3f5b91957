import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, pixels } from "./browser.mjs";
import { FileRuns } from "../../../service/page/static/js/pixels/runs.js";

const FILE = Object.assign(new Blob(["many frames"]), { name: "many.dcm" });

/** A server that gives runs of a file: of so many frames at most, whose values begin with their numbers. */
function serving(frames, atMost = Infinity) {
  return browser((_, { body }) => {
    const first = Number(body.get("frame"));
    const count = Math.min(Number(body.get("count")), atMost, frames - first + 1);
    const values = Int16Array.from({ length: 6 * count }, (_, i) => first + Math.floor(i / 6));
    const positions = Array.from({ length: count }, (_, place) => `0,0,${first + place}`).join(";");
    return pixels({ Frames: `${frames}`, Count: `${count}`, Position: positions }, values);
  });
}

const firstOf = ({ requests }) => requests.map(({ body }) => Number(body.get("frame")));

test("a file is sent once for many of its frames, also where they are asked for at the same time", async () => {
  const sent = serving(40);
  const runs = new FileRuns();
  const frames = await Promise.all(Array.from({ length: 40 }, (_, i) => runs.frame(FILE, i + 1)));
  assert.deepEqual(firstOf(sent), [1, 33]);
  assert.deepEqual(frames.map(({ values }) => values[0]), Array.from({ length: 40 }, (_, i) => i + 1));
  assert.deepEqual(frames[36].identity, { file: FILE, frame_number: 37 });
  assert.deepEqual([frames[36].position, frames[36].frames, frames[36].bytes], [[0, 0, 37], 40, 12]);
});

test("frames behind one keep values of their own, so that one can be let go of alone", async () => {
  serving(3);
  const runs = new FileRuns();
  const [one, other] = [await runs.frame(FILE, 1), await runs.frame(FILE, 2)];
  assert.notEqual(one.values.buffer, other.values.buffer);
});

test("a frame that is not like those before it begins a run of its own", async () => {
  const sent = serving(4, 1);
  const runs = new FileRuns();
  for (const number of [1, 2, 3, 4]) assert.equal((await runs.frame(FILE, number)).values[0], number);
  assert.deepEqual(firstOf(sent), [1, 2, 3, 4]);
});

test("what could not be read is asked for again", async () => {
  let isDown = true;
  const answers = () => (isDown ? Response.json({}, { status: 500 }) : pixels({ Frames: "1", Count: "1" }));
  const { requests } = browser(answers);
  const runs = new FileRuns();
  await assert.rejects(runs.frame(FILE, 1), { title: "The server answered 500" });
  isDown = false;
  assert.equal((await runs.frame(FILE, 1)).rows, 2);
  assert.equal(requests.length, 2);
});
