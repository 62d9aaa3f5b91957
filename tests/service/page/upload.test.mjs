import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.mjs";
import { checkSendable, targetOf } from "../../../service/page/static/js/archive/actions.js";
import { chosenFiles, droppedFiles } from "../../../service/page/static/js/archive/folders.js";
import { follow } from "../../../service/page/static/js/archive/follow.js";
import { shownJob, shownUpload } from "../../../service/page/static/js/archive/jobs.js";
import { countsText, leftText, NO_COUNTS, secondsLeft, stateText } from "../../../service/page/static/js/archive/progress.js";
import { isAllowed } from "../../../service/page/static/js/archive/rights.js";
import { rowsOf } from "../../../service/page/static/js/archive/rows.js";
import { parts, Upload } from "../../../service/page/static/js/archive/upload.js";

const OVERHEAD = 1024;
const file = (size) => ({ file: { size } });
const bytes = (part) => part.reduce((sum, one) => sum + one.file.size + OVERHEAD, OVERHEAD);
const OPTIONS = { collection: "lung", label: "", keepNames: true };

const job = (more = {}) => ({
  job_id: "j", kind: "index", state: "done", finished: true, total: 2, collection: "lung", reason: null, seconds_left: 0,
  counts: { ...NO_COUNTS, queued: 0, running: 0, indexed: 1, failed: 1 }, failed_items: [], ...more,
});

/** Server-sent events that come when they are asked for; none of `told` ends the stream. */
function eventsOf(told) {
  globalThis.EventSource = class extends EventTarget {
    constructor(path) {
      super();
      this.path = path;
      setImmediate(() => {
        for (const one of told) this.dispatchEvent(Object.assign(new Event("progress"), { data: JSON.stringify(one) }));
        if (!told.at(-1)?.finished) this.dispatchEvent(new Event("error"));
      });
    }

    close() {
      this.isClosed = true;
    }
  };
}

test("files are sent in their order, and no part is larger than a request may be", () => {
  const files = [400, 9000, 100, 5000, 5000, 1].map(file);
  const split = parts(files, 13_000);
  assert.deepEqual(split.flat(), files);
  assert.ok(split.every((part) => bytes(part) <= 13_000));
  assert.equal(split.length, 3);
});

test("a part has 200 files at most, and nothing to send makes none", () => {
  const many = Array.from({ length: 401 }, () => file(1));
  assert.deepEqual(parts(many, 1e9).map((part) => part.length), [200, 200, 1]);
  assert.deepEqual(parts([], 1e6), []);
});

test("a job is followed by its events, and by asking where these end without it", async () => {
  const { requests } = browser(() => Response.json(job()));
  const told = [];
  eventsOf([job({ finished: false, state: "running" }), job()]);
  assert.equal((await follow("j", (one) => told.push(one.state))).state, "done");
  assert.deepEqual([told, requests.length], [["running", "done"], 0]);

  eventsOf([job({ finished: false, state: "running" })]);
  await follow("j", (one) => told.push(one.state));
  assert.deepEqual(told, ["running", "done", "running", "done"]);
  assert.equal(requests[0].path, "/api/v1/index-jobs/j");
});

test("nothing is deleted for files that cannot be sent", () => {
  const named = (name, size) => ({ name, size });
  checkSendable([named("a.dcm", 5000)], 10_000);
  for (const size of [0, 9000]) {
    assert.throws(() => checkSendable([named("a.dcm", 5000), named("b.dcm", size)], 10_000), { title: "Nothing was deleted" });
  }
});

test("jobs that are followed leave connections to others", async () => {
  browser(() => Response.json(job()));
  eventsOf([job()]);
  let [open, most] = [0, 0];
  const { EventSource } = globalThis;
  globalThis.EventSource = class extends EventSource {
    constructor(path) {
      super(path);
      open += 1;
      most = Math.max(most, open);
    }

    close() {
      open -= 1;
    }
  };
  const ended = await Promise.all(Array.from({ length: 9 }, () => follow("j", () => undefined)));
  assert.ok(ended.every(({ finished }) => finished));
  assert.deepEqual([open, most], [0, 2]);
});

test("files that are sent keep their names, their failures are told by path, and those can be sent again", async () => {
  const { requests } = browser((path, { method }) => {
    if (path.includes("/items?state=failed")) return Response.json({ items: [{ number: 2, state: "failed", name: "b.dcm", reason: "No image." }] });
    if (path.includes("/items?")) return Response.json({ items: [] });
    return Response.json(method === "POST" ? job({ finished: false, state: "queued" }) : job());
  });
  eventsOf([job()]);
  const files = ["a.dcm", "b.dcm", "empty"].map((name) => ({
    file: new File(name === "empty" ? [] : ["x"], name),
    path: `scan/${name}`,
  }));
  const upload = new Upload(files, OPTIONS, 10_000);
  const states = [];
  upload.addEventListener("progress", () => states.push(upload.state));
  let changed = 0;
  await upload.run(async () => (changed += 1));
  const { body } = requests[0];
  assert.deepEqual(body.getAll("file").map(({ name }) => name), ["a.dcm", "b.dcm"]);
  assert.deepEqual([body.get("collection"), body.get("label"), body.get("keep_names")], ["lung", null, "true"]);
  assert.deepEqual([states, changed], [["sending", "running", "done"], 1]);
  assert.deepEqual(
    upload.failures.map(({ name, reason }) => [name, reason]),
    [["scan/empty", "It is empty (0 bytes): left out."], ["scan/b.dcm", "No image."]],
  );
  assert.deepEqual(upload.again, [files[1]]);
  const shown = shownUpload(upload);
  assert.equal(shown.text, "Indexed 1 file: 3 of 3 done, 2 failed");
  assert.deepEqual(shown.can, ["retry", "dismiss"]);
});

test("what a server does not take has failed, says why, and can be sent again", async () => {
  const said = { title: "Forbidden", detail: "Not this collection.", remedy: "", status: 403 };
  const headers = { "Content-Type": "application/problem+json" };
  browser(() => new Response(JSON.stringify(said), { status: 403, headers }));
  const files = ["a", "b"].map((name) => ({ file: new File(["x"], name), path: name }));
  const upload = new Upload(files, OPTIONS, 10_000);
  await assert.rejects(upload.run(async () => undefined), { status: 403 });
  assert.deepEqual(upload.again, files);
  assert.deepEqual(upload.failures.map(({ reason }) => reason), ["Not this collection.", "Not this collection."]);
  assert.equal(shownUpload(upload).text, "Indexed 0 files: 2 of 2 done, 2 failed");
});

test("a cancelled upload ends the part in hand and sends no other", async () => {
  const cancelled = job({ state: "cancelled", counts: { ...NO_COUNTS, cancelled: 200 } });
  const { requests } = browser(() => Response.json(cancelled));
  eventsOf([cancelled]);
  const files = Array.from({ length: 201 }, (_, at) => ({ file: new File(["x"], `${at}`), path: `${at}` }));
  const upload = new Upload(files, OPTIONS, 1e9);
  const run = upload.run(async () => undefined);
  await upload.cancel();
  await run;
  const sent = requests.filter(({ body }) => body instanceof FormData);
  assert.equal(sent.length, 1);
  assert.ok(requests.some(({ path }) => path.endsWith("/j/cancel")));
  assert.equal(upload.state, "cancelled");
});

test("a job's card says what it does and offers what can be done about it", () => {
  const running = shownJob(job({ finished: false, state: "running", seconds_left: 31, counts: { ...job().counts, failed: 0 } }));
  assert.equal(running.text, "Indexing: 1 of 2 done, into lung");
  assert.deepEqual([running.share, running.left, running.can], [0.5, "35 s left", ["cancel"]]);
  const failed = shownJob(job(), [{ name: null, number: 2, reference: "ab", reason: "No image." }]);
  assert.deepEqual([failed.failures, failed.can], [[{ name: "File 2", reason: "No image." }], ["dismiss"]]);
  const ofFolder = shownJob(job(), [{ name: null, number: null, reference: "2.dcm", reason: "No image." }]);
  assert.deepEqual([ofFolder.failures[0].name, ofFolder.can], ["2.dcm", ["retry", "dismiss"]]);
  assert.deepEqual(shownJob(job({ state: "cancelled" })).can, ["dismiss"]);
  const listed = shownJob(job({ state: "failed", reason: "The folder is not there." }));
  assert.deepEqual(listed.failures, [{ name: "The job", reason: "The folder is not there." }]);
});

test("counts, states and the time left are told in words", () => {
  const counts = { ...NO_COUNTS, indexed: 3, unchanged: 2, failed: 1, dead: 1 };
  assert.equal(countsText(counts, 9), "7 of 9 done, 2 already there, 2 failed");
  assert.equal(stateText({ state: "queued", finished: false, counts }), "Waiting");
  assert.equal(stateText({ state: "done", finished: true, counts, kind: "reindex" }), "Indexed again 3 files");
  assert.deepEqual([null, 3, 42, 100, 7300].map(leftText), ["", "a few seconds left", "45 s left", "2 min left", "2 h 2 min left"]);
  assert.deepEqual([secondsLeft(0, 10, 5), secondsLeft(5, 10, 5), secondsLeft(10, 10, 5)], [null, 5, 0]);
});

const entry = (name, inside) => ({
  name,
  isFile: !inside,
  file: (resolve) => resolve({ name, size: 1 }),
  createReader() {
    const batches = [inside.slice(0, 1), inside.slice(1), []];
    return { readEntries: (resolve) => resolve(batches.shift()) };
  },
});

test("dropped folders are read to their depth, and what is no image is left out", async () => {
  const tree = entry("scan", [entry("1.dcm"), entry("deep", [entry("2.dcm"), entry(".DS_Store")]), entry("DICOMDIR")]);
  const items = [tree, entry("3.dcm")].map((one) => ({ webkitGetAsEntry: () => one }));
  const found = await droppedFiles({ items, files: [] });
  assert.deepEqual(found.map(({ path }) => path), ["scan/1.dcm", "scan/deep/2.dcm", "3.dcm"]);
});

test("chosen files are told by their path in the folder that was chosen", () => {
  const files = [{ name: "1.dcm", webkitRelativePath: "scan/1.dcm" }, { name: "2.dcm", webkitRelativePath: "" }, { name: ".x" }];
  assert.deepEqual(chosenFiles(files).map(({ path }) => path), ["scan/1.dcm", "2.dcm"]);
});

test("a login may what its scopes say, and admin may all", () => {
  assert.ok(isAllowed({ scopes: ["search", "delete"] }, ["delete"]));
  assert.ok(!isAllowed({ scopes: ["delete"] }, ["delete", "index"]));
  assert.ok(isAllowed({ scopes: ["admin"] }, ["delete", "index"]));
});

test("what a row stands for is a series or a whole study, also where a search shows less of it", () => {
  const one = (uid, study) => ({ series_uid: uid, study_uid: study, patient: null, collection: "a", modality: "CT", frames: 2 });
  const all = [one("1.1", "1"), one("1.2", "1"), one("2.1", "2")];
  const rows = rowsOf(all, { group: "study", order: "uid" });
  const study = targetOf(rows[0], all);
  assert.deepEqual([study.level, study.uid, study.frames, study.isWholeStudy], ["study", "1", 4, true]);
  const series = targetOf(rows[1], all);
  assert.deepEqual([series.level, series.uid, series.frames, series.isWholeStudy], ["series", "1.1", 2, false]);
  assert.ok(targetOf(rows[3], all).isWholeStudy, "the only series of a study is all of it");
  const shownHalf = { ...rows[0], series: [all[0]] };
  assert.equal(targetOf(shownHalf, all).frames, 4);
  assert.equal(targetOf(rowsOf(all)[0], all), null);
});
