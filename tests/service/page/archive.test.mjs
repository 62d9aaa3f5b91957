// The list of series while one of them is being replaced: it is told as such, and neither opened nor changed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.mjs";
import { targetOf } from "../../../service/page/static/js/archive/actions.js";
import { Archive } from "../../../service/page/static/js/archive/archive.js";
import { leave, searchWithout } from "../../../service/page/static/js/archive/leaving.js";
import { wordsOf } from "../../../service/page/static/js/archive/words.js";

const series = (series_uid, collection, frames = 3) => ({ study_uid: "1", series_uid, collection, modality: "CT", frames });
const [OLD, COPY, OTHER] = [series("1.1", "a"), series("1.1", "b"), series("1.2", "a")];

async function listed(...held) {
  browser(() => Response.json({ series: held }));
  const archive = new Archive();
  await archive.refresh();
  return archive;
}

const names = ({ series: all }) => all.map(({ series_uid, collection, isReplaced = false }) => [series_uid, collection, isReplaced]);

test("a series is told as being replaced at once and until the job ends, whatever is indexed of it meanwhile", async () => {
  const archive = await listed(OLD, COPY, OTHER);
  const end = archive.replace([OLD]);
  const expected = [["1.1", "b", false], ["1.2", "a", false], ["1.1", "a", true]];
  assert.deepEqual(names(archive), expected);
  const row = { kind: "series", series: [archive.find("1.1", "a")] };
  assert.match(wordsOf(row).detail, /^being replaced/);
  assert.equal(targetOf(row, archive.series), null);
  assert.throws(() => archive.check(OLD), { title: "The series is being replaced" });
  archive.check(COPY);
  for (const held of [[COPY, OTHER], [series("1.1", "a", 1), COPY, OTHER]]) {
    browser(() => Response.json({ series: held }));
    await archive.refresh();
    assert.deepEqual(names(archive), expected);
  }
  end();
  assert.deepEqual(names(archive), [["1.1", "a", false], ["1.1", "b", false], ["1.2", "a", false]]);
  assert.equal(archive.find("1.1", "a").frames, 1);
  archive.check(OLD);
});

test("what goes from the archive leaves the screen, and no hit of it stays", async () => {
  const done = [];
  const note = (name) => () => done.push(name);
  const shown = (one) => ({ stack: { series: one }, close: note("close") });
  const app = (main, beside, query, hits = []) => ({
    viewer: shown(main),
    compare: { viewer: shown(beside), close: note("close beside") },
    reading: { query: { stack: { series: query } }, forget: note("forget"), ended: async () => {}, searchAgain: note("search"), options: {} },
    archive: { mark: note("mark") },
    hits: { shown: hits },
  });
  const isGone = (one) => one.series_uid === OLD.series_uid && one.collection === OLD.collection;
  leave(app(COPY, OTHER, COPY), isGone);
  await searchWithout(app(COPY, OTHER, COPY, [COPY, OTHER]), isGone);
  assert.deepEqual(done, []);
  leave(app(OLD, OLD, OLD), isGone);
  await searchWithout(app(OTHER, OTHER, OTHER, [OTHER, OLD]), isGone);
  assert.deepEqual(done, ["close beside", "forget", "close", "mark", "search"]);
});
