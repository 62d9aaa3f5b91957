import assert from "node:assert/strict";
import { test } from "node:test";

import { parts } from "../../../service/page/static/js/archive/indexing.js";

const OVERHEAD = 1024;
const file = (size) => ({ size });
const bytes = (part) => part.reduce((sum, { size }) => sum + size + OVERHEAD, OVERHEAD);

test("files are sent in their order, and no part is larger than a request may be", () => {
  const files = [400, 9000, 100, 5000, 5000, 1].map(file);
  const split = parts(files, 13_000);
  assert.deepEqual(split.flat(), files);
  assert.ok(split.every((part) => bytes(part) <= 13_000));
  assert.equal(split.length, 3);
});

test("a part has 200 files at most", () => {
  assert.deepEqual(
    parts(Array.from({ length: 401 }, () => file(1)), 1e9).map((part) => part.length),
    [200, 200, 1],
  );
});

test("nothing to send makes no part", () => {
  assert.deepEqual(parts([], 1e6), []);
});
