import assert from "node:assert/strict";
import { test } from "node:test";

import { Cine } from "../../../service/page/static/js/tools/cine.js";

/** A viewer of three images whose drawing takes time, and a clock that moves as it is waited for. */
function playing({ drawMs = 0, count = 3 } = {}) {
  let now = 0;
  const waits = [];
  const viewer = {
    stack: {},
    shown: { index: 0, count, frame: {} },
    drawn: [],
    async goTo(index) {
      now += drawMs;
      this.shown = { ...this.shown, index };
      this.drawn.push(index);
    },
  };
  let stopAfter = 7;
  const clock = {
    now: () => now,
    wait: async (ms) => {
      waits.push(ms);
      now += ms;
      stopAfter -= 1;
      if (!stopAfter) cine.stop();
    },
  };
  const cine = new Cine(viewer, clock);
  return { cine, viewer, waits };
}

test("every image is drawn, and after the last comes the first", async () => {
  const { cine, viewer } = playing();
  await cine.play();
  assert.deepEqual(viewer.drawn, [1, 2, 0, 1, 2, 0, 1]);
  assert.equal(cine.isPlaying, false);
});

test("the time that drawing takes is not waited for again, and a slow one leaves no image out", async () => {
  const quick = playing({ drawMs: 40 });
  quick.cine.rate = 20;
  await quick.cine.play();
  assert.deepEqual(new Set(quick.waits), new Set([10]));
  const slow = playing({ drawMs: 400 });
  await slow.cine.play();
  assert.deepEqual([slow.viewer.drawn, new Set(slow.waits)], [[1, 2, 0, 1, 2, 0, 1], new Set([0])]);
});

test("it ends where another series is opened, an image cannot be shown, or there is one alone", async () => {
  const opened = playing();
  opened.viewer.goTo = async function () {
    this.stack = {};
  };
  await opened.cine.play();
  assert.equal(opened.cine.isPlaying, false);
  const failed = playing();
  failed.viewer.goTo = async function () {
    this.shown = { ...this.shown, frame: null };
  };
  await failed.cine.play();
  assert.equal(failed.cine.isPlaying, false);
  const single = playing({ count: 1 });
  await single.cine.play();
  assert.deepEqual(single.viewer.drawn, []);
});

test("a rate that is none is the slowest, and none is faster than screens are", () => {
  const { cine } = playing();
  assert.deepEqual([-3, NaN, 12.4, 500].map((rate) => ((cine.rate = rate), cine.rate)), [1, 1, 12, 60]);
});
