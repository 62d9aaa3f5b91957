import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, pixels } from "./browser.mjs";
import { listSeries, readPixels, searchFile, searchIndexed } from "../../../service/page/static/js/api.js";

const BOX = { x: 1.5, y: 2, width: 30, height: 40 };
const FRAME = { sop_instance_uid: "1.2", frame_number: 3 };

test("a box is searched as a region, no box as the whole image", async () => {
  const { requests } = browser(() => Response.json({ hits: [] }));
  await searchIndexed(FRAME, [BOX], { k: 5 });
  await searchIndexed(FRAME, [BOX, { ...BOX, x: 9 }], { k: 5 });
  await searchIndexed(FRAME, [], { k: 5 });
  assert.deepEqual(
    requests.map(({ path, body }) => [path, JSON.parse(body)]),
    [
      ["/api/v1/search/region", { ...FRAME, k: 5, region: [1.5, 2, 30, 40] }],
      ["/api/v1/search/region", { ...FRAME, k: 5, regions: [[1.5, 2, 30, 40], [9, 2, 30, 40]] }],
      ["/api/v1/search/image", { ...FRAME, k: 5 }],
    ],
  );
});

test("a file is sent with its region and its filters as text, and without what is not said", async () => {
  const { requests } = browser(() => Response.json({ hits: [] }));
  await searchFile(new Blob(["x"]), 2, [BOX], { k: 5, mode: "", filters: { modality: "CT" } });
  const fields = Object.fromEntries([...requests[0].body].filter(([name]) => name !== "file"));
  assert.deepEqual(fields, { frame: "2", region: "1.5,2,30,40", k: "5", filters: '{"modality":"CT"}' });
});

test("several regions of a file are one text", async () => {
  const { requests } = browser(() => Response.json({ hits: [] }));
  await searchFile(new Blob(["x"]), 1, [BOX, { ...BOX, x: 9 }], {});
  assert.equal(requests[0].body.get("regions"), "1.5,2,30,40;9,2,30,40");
});

test("an outline is sent as its points", async () => {
  const { requests } = browser(() => Response.json({ hits: [] }));
  const outline = [[1.5, 2], [30, 2], [20, 40]];
  await searchIndexed(FRAME, [outline], {});
  await searchFile(new Blob(["x"]), 1, [outline], {});
  await searchFile(new Blob(["x"]), 1, [BOX, outline], {});
  assert.deepEqual(JSON.parse(requests[0].body).region, outline);
  assert.equal(requests[1].body.get("region"), "1.5,2 30,2 20,40");
  assert.equal(requests[2].body.get("regions"), "1.5,2,30,40;1.5,2 30,2 20,40");
});

test("a file that no request can carry is refused before it is sent", async () => {
  const { requests } = browser();
  await assert.rejects(
    async () => searchFile(new Blob(["x".repeat(9_000)]), 1, [], {}),
    { title: "The file is too large" },
  );
  assert.equal(requests.length, 0);
});

test("every request says that it comes from the page", async () => {
  const { requests } = browser(() => Response.json({ series: [] }));
  await listSeries();
  assert.equal(requests[0].headers["X-HMAR-Page"], "1");
  assert.equal(requests[0].credentials, "same-origin");
});

test("the values of a frame are asked for by its instance and number", async () => {
  const { requests } = browser(() => pixels());
  await readPixels(FRAME);
  assert.equal(requests[0].path, "/api/v1/instances/1.2/frames/3/pixels");
});

test("a problem of the server is told in its words", async () => {
  const said = { title: "Bad region", detail: "The region is outside.", remedy: "Draw it inside.", status: 422 };
  const headers = { "Content-Type": "application/problem+json" };
  browser(() => new Response(JSON.stringify(said), { status: 422, headers }));
  await assert.rejects(listSeries(), said);
});

test("an answer that is no problem, a session that is over and a server that is away are told, too", async () => {
  browser(() => new Response("", { status: 502, statusText: "Bad Gateway" }));
  await assert.rejects(listSeries(), { title: "The server answered 502", detail: "Bad Gateway" });
  browser(() => new Response("", { status: 401 }));
  await assert.rejects(listSeries(), { title: "You are logged out" });
  browser(() => {
    throw new TypeError("fetch failed");
  });
  await assert.rejects(listSeries(), { title: "The server does not answer" });
});
