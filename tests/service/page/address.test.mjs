// An address says what is open and searched for, and whatever else somebody writes into it is left out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode, NOTHING, partsOf, searchFor } from "../../../service/page/static/js/state/address.js";
import { missingIn } from "../../../service/page/static/js/state/share.js";

/** Numbers that look random, and are the same at each run. */
function randomness(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const below = (end) => Math.floor(next() * end);
  return { below, one: (...values) => values[below(values.length)], number: () => Math.round((next() - 0.3) * 1e5) / 100 };
}

const SIGNS = [..."!\"#$%&'()*+,-./0129:;<=>?@AZ[\\]^_`az{|}~"];

const VIEWS = [
  { isInverted: true, flipped: false, turns: 0 },
  { isInverted: false, flipped: true, turns: 3 },
  { isInverted: true, flipped: true, turns: 1 },
];

function randomState(seed) {
  const { below, one, number } = randomness(seed);
  const uid = () => one("1.2.840.113619", "2.25.7", Array.from({ length: 1 + below(64) }, () => one(...SIGNS)).join(""));
  const box = () => ({ x: number(), y: number(), width: Math.abs(number()) + 1, height: Math.abs(number()) + 1 });
  const corners = () => Object.values(box());
  const instance = one(null, uid());
  const asked = one({}, { region: corners() }, { regions: [corners(), corners()] });
  const options = one({ k: 10 }, { k: 3, mode: "local", filters: { modality: "CT", age_years: { min: 3 } } });
  const search = one(null, { sop_instance_uid: uid(), frame_number: 1 + below(9), ...asked, ...options });
  return {
    study: one(null, uid()),
    series: one(null, uid()),
    collection: one(null, "default", "a-b_c.1"),
    instance,
    frame: instance ? 1 + below(500) : 1,
    regions: Array.from({ length: below(4) }, box),
    view: one(null, ...VIEWS),
    window: one(null, [number(), 1 + below(4000), one("HU", "modality", "presentation")], [below(50), 50 + below(51), "percentiles"]),
    search,
    queryCollection: search && one(null, "teaching"),
    beside: one(null, { instance: uid(), frame: 1 + below(3), collection: one(null, "b") }),
  };
}

test("a search that is too long for an address is left out of it, and of nothing that has room", () => {
  const search = { sop_instance_uid: "1.2", frame_number: 1, filters: { label: ["x".repeat(2000)] } };
  assert.equal(decode(encode({ series: "1.1", search })).search, null);
  assert.deepEqual(decode(encode({ series: "1.1", search }, Infinity)).search, search);
});

test("an address says all of a state, whatever is in it", () => {
  for (let seed = 0; seed < 500; seed += 1) {
    const state = randomState(seed);
    const address = encode(state);
    assert.deepEqual(decode(address), state, address);
    assert.equal(encode(decode(address)), address);
  }
});

test("nothing has no address, and no address is nothing", () => {
  assert.equal(encode(NOTHING), "");
  assert.equal(encode({}), "");
  assert.deepEqual(decode(""), NOTHING);
});

test("the addresses that other programs write are read", () => {
  const state = decode("?study=1.2&instance=1.2.3&frame=4&region=1,2,30.5,40");
  assert.deepEqual(state, {
    ...NOTHING,
    study: "1.2",
    instance: "1.2.3",
    frame: 4,
    regions: [{ x: 1, y: 2, width: 30.5, height: 40 }],
  });
});

test("what cannot be used is left out, and nothing of it is thrown", () => {
  const hostile = [
    "study=%00%ff&series=1 2&instance=" + "1".repeat(65),
    "collection=../../x&beside=<script>alert(1)</script> ",
    "frame=-1&beside_frame=1e99",
    "frame=NaN",
    "region=1,2,3&regions=;;;",
    "region=1,2,Infinity,4",
    "region=1,2,-3,4",
    "regions=1,2,3,4;x",
    "view=45",
    "view=flip,invert",
    "view=,",
    "view=invert,invert",
    "query_collection=../x",
    "window=1,0,HU",
    "window=1,2,mm",
    "window=1,2,HU,3",
    "window=99,1,percentiles",
    "window=-1,99,percentiles",
    "window=1,101,percentiles",
    "window=",
    "search={",
    "search=null",
    "search=[1]",
    "search=%22text%22",
    'search={"k":3}',
    'search={"sop_instance_uid":5}',
    'search={"sop_instance_uid":"1.2","frame_number":"1"}',
    'search={"sop_instance_uid":"1.2","region":{"x":1}}',
    'search={"sop_instance_uid":"1.2","regions":null}',
    'search={"sop_instance_uid":"1.2","regions":[[1,2,3,4],[0]]}',
    "study=&series=&instance=",
    "%E0%A4%A",
  ];
  for (const query of hostile) assert.deepEqual(decode(`?${query}`), NOTHING, query);
});

test("a search is that of the query's image, regions and options, and comes apart again", () => {
  const regions = [{ box: { x: 1, y: 2, width: 3, height: 4 } }];
  const query = { identity: { sop_instance_uid: "1.2", frame_number: 3, series_uid: "1" }, regions };
  const search = searchFor(query, { k: 5 });
  assert.deepEqual(search, { sop_instance_uid: "1.2", frame_number: 3, region: [1, 2, 3, 4], k: 5 });
  assert.deepEqual(partsOf(search), { instance: "1.2", frame: 3, regions, options: { k: 5 } });
  assert.deepEqual(searchFor({ ...query, regions: [] }, { k: 5 }), { sop_instance_uid: "1.2", frame_number: 3, k: 5 });
  assert.equal(searchFor({ ...query, identity: { file: new Blob([]), frame_number: 1 } }, {}), null);
});

test("an outline stays one, beside a box too", () => {
  const outline = [[1, 2], [4, 2], [4, 6]];
  const drawn = [
    { box: { x: 1, y: 2, width: 3, height: 4 }, outline, shape: "outline" },
    { box: { x: 9, y: 9, width: 1, height: 1 } },
  ];
  const search = searchFor({ identity: { sop_instance_uid: "1.2", frame_number: 1 }, regions: drawn }, {});
  assert.deepEqual(search.regions, [outline, [9, 9, 1, 1]]);
  assert.deepEqual(partsOf(decode(encode({ ...NOTHING, search })).search).regions, drawn);
});

test("a search that is longer than the server takes is left out, and the rest stays", () => {
  const relevant = Array.from({ length: 40 }, (_, i) => ({ sop_instance_uid: `1.2.840.${i}`.padEnd(64, "7") }));
  const address = encode({ series: "1.2", search: { sop_instance_uid: "1.2", relevant } });
  assert.equal(address, "?series=1.2");
});

test("whoever copies a link is told what of the search is not in it", () => {
  const query = { identity: { sop_instance_uid: "1.2" } };
  assert.equal(missingIn("?series=1.2", null), "");
  assert.equal(missingIn(encode({ series: "1.2", search: query.identity }), query), "");
  assert.match(missingIn("?series=1.2", query), /too long/);
  assert.match(missingIn("?series=1.2", { identity: { file: {} } }), /file/);
});

test("the page of an answer that another program asked for is no part of a search", () => {
  const search = { sop_instance_uid: "1.2", k: 30 };
  const query = `?${new URLSearchParams({ search: JSON.stringify({ ...search, limit: 5, cursor: "abc", query_collection: "b" }) })}`;
  assert.deepEqual(decode(query).search, search);
});
