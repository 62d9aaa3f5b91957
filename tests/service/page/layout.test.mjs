import assert from "node:assert/strict";
import { test } from "node:test";

import { bounds, clamped, layoutOf, SIDES, steered } from "../../../service/page/static/js/shell/layout.js";

const TOTAL = 1200;

test("a panel is neither narrower than can be read nor wider than leaves the image room", () => {
  for (const name of Object.keys(SIDES)) {
    const [least, most] = bounds(name, TOTAL);
    assert.ok(least < most);
    assert.deepEqual([0, least + 10.4, 9999].map((width) => clamped(name, width, TOTAL)), [least, least + 10, most]);
  }
  const taken = Object.keys(SIDES).reduce((sum, name) => sum + bounds(name, TOTAL)[1], 0);
  assert.ok(TOTAL - taken >= 320);
});

test("where all panels have little room, each keeps its least width", () => {
  assert.deepEqual(bounds("hits", 300), [SIDES.hits.least, SIDES.hits.least]);
});

test("an arrow moves the splitter where it points: the panel on the left grows to the right, the other shrinks", () => {
  assert.ok(steered("archive", "ArrowRight", 240, TOTAL) > 240);
  assert.ok(steered("archive", "ArrowLeft", 240, TOTAL) < 240);
  assert.ok(steered("hits", "ArrowLeft", 340, TOTAL) > 340);
  assert.ok(steered("hits", "ArrowRight", 340, TOTAL) < 340);
});

test("Home and End are the ends, and no other key is taken", () => {
  assert.deepEqual(["Home", "End"].map((key) => steered("hits", key, 340, TOTAL)), bounds("hits", TOTAL));
  for (const key of ["Tab", "a", "ArrowUp"]) assert.equal(steered("hits", key, 340, TOTAL), null);
});

test("what was kept is used, and what is none is left out", () => {
  assert.deepEqual(layoutOf({ widths: { hits: 400, archive: "wide" }, hidden: { archive: true, hits: 1 } }), {
    widths: { hits: 400 },
    hidden: { archive: true, hits: false },
  });
  for (const stored of [null, 7, "text", [], {}, { widths: null }, { widths: { hits: -1, archive: Infinity } }]) {
    assert.deepEqual(layoutOf(stored), { widths: {}, hidden: { archive: false, hits: false } });
  }
});
