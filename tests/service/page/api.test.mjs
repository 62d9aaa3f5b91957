import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, pixels } from "./browser.mjs";
import { connection, explainHit, exportHits, imageUrl, listSeries, matchSeries, readInstance, readPixels, searchFile, searchIndexed, thumbnailUrl } from "../../../service/page/static/js/api.js";

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

test("a query, and a hit, is the image of the collection that it is shown from", async () => {
  const { requests } = browser(() => Response.json({}));
  const copy = { ...FRAME, collection: "b" };
  await searchIndexed(copy, [], { collection: "a" });
  await explainHit(copy, [], { ...copy, sop_instance_uid: "1.3", rank: 1 });
  await exportHits(copy, [], { to: "main" });
  const [searched, explained, exported] = requests.map(({ body }) => JSON.parse(body));
  assert.deepEqual(searched, { ...FRAME, query_collection: "b", collection: "a" });
  assert.equal(explained.query_collection, "b");
  assert.deepEqual(explained.hit, { ...copy, sop_instance_uid: "1.3" });
  assert.equal(exported.query_collection, "b");
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

test("the values of a frame are asked for by its instance, its number and the collection", async () => {
  const { requests } = browser((path) => (path.includes("pixels") ? pixels() : Response.json({})));
  await readPixels(FRAME);
  await readPixels({ ...FRAME, collection: "b" });
  await readInstance("1.2", "b");
  assert.deepEqual(
    requests.map(({ path }) => path),
    ["/api/v1/instances/1.2/frames/3/pixels", "/api/v1/instances/1.2/frames/3/pixels?collection=b", "/api/v1/instances/1.2?collection=b"],
  );
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

/** Which events the connection told while something was done. */
async function told(action) {
  const events = [];
  const note = ({ type }) => events.push(type);
  const names = ["reached", "unreachable", "busy", "expired"];
  for (const name of names) connection.addEventListener(name, note);
  await action().catch(() => null);
  for (const name of names) connection.removeEventListener(name, note);
  return events;
}

const busy = () => new Response("", { status: 503, headers: { "Retry-After": "0.01" } });

test("a question is asked again where a server that starts says when; a search is not sent twice", async () => {
  const answers = [busy(), busy(), Response.json({ series: [] })];
  const { requests } = browser(() => answers.shift());
  assert.deepEqual(await told(listSeries), ["busy", "busy", "reached"]);
  assert.equal(requests.length, 3);
  const { requests: searches } = browser(busy);
  await assert.rejects(searchIndexed(FRAME, [], {}), { status: 503, isPassing: true });
  assert.equal(searches.length, 1);
});

test("a server that stays busy is an error in the end", async () => {
  const { requests } = browser(busy);
  await assert.rejects(listSeries(), { status: 503 });
  assert.equal(requests.length, 5);
});

test("waiting for a busy server ends where nobody wants the answer any more", async () => {
  browser(() => new Response("", { status: 503, headers: { "Retry-After": "3" } }));
  const abort = new AbortController();
  const asked = readPixels(FRAME, abort.signal);
  setTimeout(() => abort.abort(), 5);
  await assert.rejects(asked, { name: "AbortError" });
});

test("a server that is away, and a login that has ended, pass: what was done can be done again", async () => {
  browser(() => Promise.reject(new TypeError("failed")));
  await assert.rejects(listSeries(), { title: "The server does not answer", isPassing: true });
  assert.deepEqual(await told(listSeries), ["unreachable"]);
  browser(() => new Response("", { status: 401 }));
  await assert.rejects(listSeries(), { title: "You are logged out", isPassing: true });
  assert.deepEqual(await told(listSeries), ["expired"]);
  browser(() => new Response("", { status: 404 }));
  await assert.rejects(listSeries(), { isPassing: false });
});

test("two series, and a hit with its query, are asked for by their UIDs", async () => {
  const { requests } = browser();
  await matchSeries("1/2", "3&4");
  await explainHit(FRAME, [BOX], { sop_instance_uid: "1.3", frame_number: 1, rank: 4 });
  assert.equal(requests[0].path, "/api/v1/series/1%2F2/match?to=3%264");
  assert.deepEqual(JSON.parse(requests[1].body), {
    ...FRAME,
    region: [1.5, 2, 30, 40],
    hit: { sop_instance_uid: "1.3", frame_number: 1 },
  });
  assert.equal(thumbnailUrl(FRAME, [BOX]), "/api/v1/instances/1.2/frames/3/image?size=128&box=1.5%2C2%2C30%2C40");
  const copy = { ...FRAME, collection: "b" };
  assert.equal(thumbnailUrl(copy), "/api/v1/instances/1.2/frames/3/image?size=128&collection=b");
  assert.equal(imageUrl(copy, [0, 400, "HU"]), "/api/v1/instances/1.2/frames/3/image?collection=b&centre=0&width=400&units=HU");
});
