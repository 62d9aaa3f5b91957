// What hits are, what is asked for, and what is taken away: all that needs no document.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Asking, firstPage, nextPage, searchedBy } from "../../../service/page/static/js/results/asking.js";
import { cuts, spacingOf } from "../../../service/page/static/js/results/crop.js";
import { emptyOf } from "../../../service/page/static/js/results/empty.js";
import { exportFields, whyNoDicom } from "../../../service/page/static/js/results/export.js";
import { counted, facetOf, filtersOf, toggled } from "../../../service/page/static/js/results/facets.js";
import { howOf, numberOf, titleOf, whichOf, whoseOf } from "../../../service/page/static/js/results/facts.js";
import { isSameFrame, keyOf } from "../../../service/page/static/js/results/identity.js";
import { Judgements } from "../../../service/page/static/js/results/judgements.js";
import { indexIn, placeText } from "../../../service/page/static/js/results/place.js";
import { namedJudgements, namedQuery } from "../../../service/page/static/js/results/refine.js";
import { cellAt, cellsOf, headOf, sizeOfSheet } from "../../../service/page/static/js/results/sheet.js";
import { csvOf, jsonOf } from "../../../service/page/static/js/results/table.js";
import { fastText } from "../../../service/page/static/js/results/thoroughness.js";
import { endsOf } from "../../../service/page/static/js/results/threshold.js";
import { typicalityOf } from "../../../service/page/static/js/results/typicality.js";

const HIT = {
  rank: 1,
  distance: 12.66,
  bits: 128,
  study_uid: "1",
  series_uid: "1.1",
  sop_instance_uid: "1.1.1",
  frame_number: 1,
  instance_number: 43,
  collection: "default",
  modality: "CT",
  body_part: "CHEST",
  sex: "F",
  age_years: 57,
  study_date: "2020-03-04",
  manufacturer: "Acme",
  label: null,
  convolution_kernel: "B30F",
  slice_thickness_mm: 2.5,
  contrast: true,
  view_position: null,
  laterality: null,
  series_description: "LUNG 1.25mm",
  rows: 100,
  columns: 200,
  box: { x: 10, y: 20, width: 40, height: 40 },
  box_mm: { x: 5, y: 20, width: 20, height: 40 },
  model: "hmar",
};
const hit = (change) => ({ ...HIT, ...change });
const INDEXED = { series: { series_uid: "1.1" } };
const REGION = [{ box: HIT.box }];

test("other patients are searched, one hit for each, unless a reader says otherwise", () => {
  const asking = new Asking();
  assert.deepEqual(asking.options({ stack: INDEXED, regions: [] }), {
    k: 10,
    group_by: "patient",
    exclude: { same: "patient" },
  });
  asking.change({ among: "all", group: "", mode: "local", count: 200 });
  assert.deepEqual(asking.options({ stack: INDEXED, regions: [] }), { mode: "local", k: 200 });
});

test("the own series is searched image by image, and a file is of none", () => {
  const asking = new Asking();
  asking.change({ among: "series" });
  const own = asking.options({ stack: INDEXED, regions: [] });
  assert.deepEqual([own.only, own.group_by, own.exclude], [{ series_uids: ["1.1"] }, undefined, undefined]);
  assert.equal(asking.options({ stack: { series: null }, regions: [] }).only, undefined);
});

test("a reader is told where a search was another one than the controls say", () => {
  const asking = new Asking();
  const query = { stack: INDEXED, regions: [] };
  assert.deepEqual(asking.differing(query, { ...asking.options(query), k: 30, mode: "local", relevant: [{}] }), []);
  assert.deepEqual(asking.differing(query, { ...asking.options(query), exclude: { same: "study" } }), []);
  asking.take({ exclude: { same: "series" }, filters: { age_years: { min: 33, max: 47 }, sex: "F" } });
  const used = { exclude: { same: "series" }, filters: { age_years: { min: 33, max: 47 }, sex: "F" } };
  assert.deepEqual(asking.differing(query, used), ["exclude", "age_years"]);
  asking.take({ only: { series_uids: ["9.9"] } });
  assert.deepEqual(asking.differing(query, { only: { series_uids: ["9.9"] } }), ["only"]);
  asking.change({ chosen: { label: ["nodule"] } });
  assert.ok(asking.differing(query, {}).includes("label"));
});

test("how thorough a search is stays with the server until a reader chooses", () => {
  const asking = new Asking();
  const query = { stack: INDEXED, regions: [] };
  assert.equal("search" in asking.options(query), false);
  asking.change({ search: "fast" });
  assert.equal(asking.options(query).search, "fast");
  assert.deepEqual(asking.differing(query, { ...asking.options(query), search: "exact" }), ["search"]);
  let [changed, taken] = [0, 0];
  asking.addEventListener("change", () => (changed += 1));
  asking.addEventListener("taken", () => (taken += 1));
  asking.compareAll();
  assert.deepEqual([asking.options(query).search, changed, taken], ["exact", 0, 1]);
  asking.take({ search: "fast" });
  assert.equal(asking.state.search, "fast");
  asking.take({});
  assert.equal(asking.state.search, "");
});

test("the own series of a file is not asked for, and not said to be", () => {
  const asking = new Asking();
  asking.change({ among: "series" });
  asking.suit({ stack: INDEXED });
  assert.equal(asking.state.among, "series");
  asking.suit({ stack: { series: null } });
  assert.equal(asking.state.among, "all");
});

test("places are asked for where there is a region", () => {
  const asking = new Asking();
  asking.change({ group: "place" });
  const { group_by, k } = asking.options({ stack: INDEXED, regions: REGION }, 300);
  assert.deepEqual([group_by, k], ["place", 100]);
  assert.equal(asking.options({ stack: INDEXED, regions: [] }).group_by, "series");
});

test("hits are asked for page by page, up to as many as the server gives on all pages together", () => {
  const options = { k: 10, mode: "local", exclude: { same: "patient" } };
  const rest = { mode: "local", exclude: { same: "patient" } };
  assert.deepEqual(firstPage(options), { ...rest, k: 1000, limit: 10 });
  assert.deepEqual(nextPage(options, { next: "abc" }, 20), { ...rest, k: 1000, limit: 20, cursor: "abc" });
  assert.deepEqual(firstPage({ group_by: "place" }), { k: 100, limit: 10, group_by: "place" });
});

test("as many hits are asked for again as are shown", () => {
  const asking = new Asking();
  assert.deepEqual([0, 5, 30].map((least) => asking.options({ stack: INDEXED, regions: [] }, least).k), [10, 10, 30]);
});

test("what waits for the next search tells nobody, all else tells once", () => {
  const asking = new Asking();
  let told = 0;
  asking.addEventListener("change", () => (told += 1));
  asking.change({ count: 5 }, { isQuiet: true });
  asking.change({ among: "all" });
  assert.deepEqual([told, asking.state.count, asking.state.among], [1, 5, "all"]);
});

test("where nobody knows the query's patient its study is left out, and that is told", async () => {
  const asked = [];
  const refuse = { status: 422 };
  const search = async (options) => {
    asked.push(options.exclude?.same);
    if (options.exclude?.same === "patient") throw refuse;
    return "answer";
  };
  const { answer, options } = await searchedBy(search, { k: 1, exclude: { same: "patient" } });
  assert.deepEqual([answer, options], ["answer", { k: 1, exclude: { same: "study" } }]);
  assert.deepEqual(asked, ["patient", "study"]);
  await assert.rejects(searchedBy(async () => Promise.reject(refuse), { k: 0 }), (error) => error === refuse);
  const away = { status: 503 };
  await assert.rejects(searchedBy(async () => Promise.reject(away), { exclude: { same: "patient" } }), (error) => error === away);
});

test("a chosen value is a condition of the API on its property", () => {
  const chosen = {
    modality: ["CT", "MR"],
    age_years: ["50"],
    study_date: ["2020"],
    contrast: ["false"],
    slice_thickness_mm: ["2.5"],
    collection: ["teaching"],
    sex: [],
  };
  assert.deepEqual(filtersOf(chosen), {
    filters: {
      modality: ["CT", "MR"],
      age_years: { min: 50, max: 59 },
      study_date: { from: "2020-01-01", to: "2020-12-31" },
      contrast: false,
      slice_thickness_mm: { min: 2.5, max: 2.5 },
    },
    collection: "teaching",
  });
  assert.deepEqual(filtersOf({ age_years: ["90"] }), { filters: { age_years: { min: 90 } } });
  assert.deepEqual(filtersOf({}), {});
});

test("every property of a hit is found again by the filter on its own value", () => {
  for (const name of ["modality", "body_part", "sex", "manufacturer", "convolution_kernel"]) {
    const facet = facetOf(name);
    assert.deepEqual(facet.conditionOf([facet.keyOf(HIT)]), [HIT[name]]);
  }
  const { min, max } = facetOf("age_years").conditionOf([facetOf("age_years").keyOf(HIT)]);
  assert.ok(min <= HIT.age_years && HIT.age_years <= max);
  for (const name of ["age_years", "study_date", "contrast", "slice_thickness_mm", "label"]) {
    assert.equal(facetOf(name).keyOf(hit({ [name]: null })), null);
  }
});

test("values are counted, the most frequent first, those that are unknown not at all", () => {
  const rows = [hit({ sex: "M" }), HIT, HIT, hit({ sex: null })];
  assert.deepEqual(counted(facetOf("sex"), rows), [["F", 2], ["M", 1]]);
});

test("a click adds a value or takes it away, and takes the place of the one where one alone is possible", () => {
  assert.deepEqual(toggled({}, "sex", "F"), { sex: ["F"] });
  assert.deepEqual(toggled({ sex: ["F"] }, "sex", "M"), { sex: ["F", "M"] });
  assert.deepEqual(toggled({ sex: ["F", "M"] }, "sex", "F"), { sex: ["M"] });
  assert.deepEqual(toggled({ age_years: ["50"] }, "age_years", "60"), { age_years: ["60"] });
});

test("a hit is told by what is known of it", () => {
  assert.equal(whoseOf(HIT), "female, 50–59 years · 2020-03-04");
  assert.equal(whoseOf(hit({ sex: null, age_years: null, study_date: null, collection: "lung" })), "in lung");
  assert.equal(howOf(HIT), "B30F · 2.5 mm slices · with contrast");
  assert.equal(numberOf(HIT), "image 43, frame 1");
  assert.equal(numberOf(hit({ instance_number: null })), "frame 1");
  assert.equal(whichOf(HIT, [HIT.box]), "image 43, frame 1 · box 20 × 40 mm");
  const slab = { slab_mm: 3, frames: 3 };
  assert.equal(whichOf(hit({ slab }), [HIT.box]), "image 43, frame 1 · slab of 3 mm · box 20 × 40 mm");
  assert.equal(whichOf(hit({ slab }), []), "image 43, frame 1 · slab of 3 mm");
});

test("query and hit are cut at equal millimetres, with the larger of both places inside", () => {
  assert.deepEqual(spacingOf(HIT), [1, 0.5]);
  const query = { rows: 512, columns: 512, spacing: [0.8, 0.8], box: { x: 100, y: 200, width: 50, height: 25 } };
  const { query: ofQuery, hit: ofHit, side } = cuts(query, { ...HIT, spacing: [1, 0.5] });
  assert.equal(side, 1.8 * 40);
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
  near(ofQuery.width * 0.8, side);
  near(ofQuery.height * 0.8, side);
  near(ofHit.width * 0.5, side);
  near(ofHit.height * 1, side);
  near(ofQuery.x + ofQuery.width / 2, 125);
  near(ofHit.y + ofHit.height / 2, 40);
});

test("whole images are shown whole, at equal millimetres too", () => {
  const query = { rows: 512, columns: 512, spacing: [0.8, 0.8], box: null };
  const { query: ofQuery, hit: ofHit, side } = cuts(query, { ...HIT, spacing: [1, 0.5] });
  assert.equal(side, 512 * 0.8);
  assert.deepEqual(ofQuery, { x: 0, y: 0, width: 512, height: 512 });
  assert.ok(ofHit.x < 0 && ofHit.width > HIT.columns);
  const whole = cuts({ ...query, box: HIT.box }, { ...HIT, spacing: [1, 0.5] }, { isWhole: true });
  assert.deepEqual(whole.query, ofQuery);
});

test("where a spacing is unknown nothing is said to be at one scale", () => {
  const query = { rows: 512, columns: 512, spacing: null, box: { x: 0, y: 0, width: 50, height: 25 } };
  const { query: ofQuery, hit: ofHit, side } = cuts(query, { ...HIT, spacing: [1, 0.5] });
  assert.equal(side, null);
  assert.deepEqual([ofQuery.width, ofHit.height], [90, 72]);
  assert.equal(spacingOf(hit({ box_mm: null })), null);
});

test("a judgement is of the last word, can be taken back, and comes as lists that are not empty", () => {
  const judgements = new Judgements();
  let told = 0;
  judgements.addEventListener("change", () => (told += 1));
  const other = hit({ sop_instance_uid: "1.1.2" });
  judgements.judge(HIT, "relevant");
  judgements.judge(other, "not_relevant");
  const named = { sop_instance_uid: "1.1.1", frame_number: 1 };
  assert.deepEqual(judgements.options, { relevant: [named], not_relevant: [{ ...named, sop_instance_uid: "1.1.2" }] });
  judgements.judge(HIT, "not_relevant");
  assert.equal(judgements.verdictOf(HIT), "not_relevant");
  judgements.undo();
  assert.equal(judgements.verdictOf(HIT), "relevant");
  judgements.judge(HIT, "relevant");
  assert.equal(judgements.verdictOf(HIT), null);
  assert.deepEqual(judgements.options, { not_relevant: [{ ...named, sop_instance_uid: "1.1.2" }] });
  judgements.clear();
  assert.deepEqual([judgements.options, judgements.canUndo, told], [{}, false, 6]);
});

test("judgements are kept under the query's UID, and under a file's digest, never its name", async () => {
  const frame = { identity: { sop_instance_uid: "1.2", frame_number: 3 }, regions: REGION };
  assert.deepEqual(await namedQuery(frame), { sop_instance_uid: "1.2", frame_number: 3, regions: [[10, 20, 40, 40]] });
  const file = Object.assign(new Blob(["abc"]), { name: "Mustermann.dcm" });
  assert.deepEqual(await namedQuery({ identity: { file, frame_number: 1 }, regions: [] }), {
    file_sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    frame_number: 1,
  });
  const [kept] = namedJudgements([{ hit: HIT, verdict: "relevant" }]);
  assert.deepEqual(kept, {
    sop_instance_uid: "1.1.1",
    frame_number: 1,
    collection: "default",
    box: [10, 20, 40, 40],
    verdict: "relevant",
  });
  const beyond = hit({ box: { x: 190, y: 0, width: 20, height: 20 } });
  assert.equal("box" in namedJudgements([{ hit: beyond, verdict: "relevant" }])[0], false);
});

test("a place is told by its images and its size, and a share of the way is an image of it", () => {
  const place = { first: { instance_number: 41 }, last: { instance_number: 44 }, frames: 4 };
  const extent = { width_mm: 32, height_mm: 32.4, depth_mm: 10 };
  assert.equal(placeText({ ...place, extent }), "images 41–44 · 32 × 32 × 10 mm");
  assert.equal(placeText({ ...place, frames: 1, extent: { ...extent, depth_mm: null } }), "image 41 · size in mm unknown");
  assert.deepEqual([0, 0.34, 1].map((share) => indexIn(10, 13, share)), [10, 11, 13]);
});

test("a query out of distribution is told, also which of its regions, and one that cannot be told is not", () => {
  const region = (out_of_distribution) => ({ out_of_distribution });
  const query = (regions, isUnlike, typicality = 0.001) => ({ regions, typicality, out_of_distribution: isUnlike });
  assert.match(typicalityOf(query([], true)).text, /^This image is unlike/);
  assert.match(typicalityOf(query([region(true)], true)).text, /^This region/);
  assert.match(typicalityOf(query([region(false), region(true)], true)).text, /number 2 /);
  assert.deepEqual(typicalityOf(query([], false, 0.92)), {
    isUnlike: false,
    text: "Typical: 92 % of what the model knows is as unusual as this image, or more.",
  });
  assert.match(typicalityOf(query([region(false)], false, 0.03)).text, /^Unusual: 3 % .* region and image/);
  assert.equal(typicalityOf(query([], null, null)), null);
});

test("a fast search says how many of the nearest are expected among the hits, an exact one nothing", () => {
  const told = (expected_recall, count, made = "fast") =>
    fastText({ search: { made, expected_recall }, hits: Array(count).fill(HIT) }).replace("\u00a0", " ");
  assert.equal(told(1, 10, "exact"), "");
  assert.equal(told(0.9971, 10), "Fast search: 99.7 % of the 10 nearest are expected among the hits, but for what one or two slices alone show.");
  assert.equal(told(0.99, 1000), "Fast search: 99.0 % of the 1,000 nearest are expected among the hits, but for what one or two slices alone show.");
  assert.equal(told(0.5, 1), "Fast search: 50.0 % of the nearest are expected among the hits, but for what one or two slices alone show.");
  // Never more than was told, and never all.
  assert.match(told(0.9979, 2), /: 99\.7 % /);
  assert.match(told(0.9999, 2), /: 99\.9 % /);
  assert.match(told(1, 2), /: more than 99\.9 % /);
});

test("where there are no hits a reader is told how to find some", () => {
  const answer = { hits: [] };
  assert.equal(emptyOf(null, { among: "others", chosen: {} }).change, null);
  assert.deepEqual(emptyOf(answer, { among: "others", chosen: { sex: ["F"] } }).change, { chosen: {} });
  assert.deepEqual(emptyOf(answer, { among: "others", chosen: { sex: [] } }).change, { among: "all" });
  assert.equal(emptyOf(answer, { among: "all", chosen: {} }).change, null);
});

test("the ends of the threshold are whole bits around all distances", () => {
  assert.deepEqual(endsOf([hit({ distance: 12.6 }), hit({ distance: 3.2 })]), [3, 13]);
  assert.deepEqual(endsOf([]), [0, 0]);
});

test("a table has a line for each hit, quoted where needed, and nothing that a spreadsheet would run", () => {
  const rows = csvOf([hit({ label: 'a "b", c', manufacturer: "=1+1", contrast: null }), HIT], () => "relevant").split("\r\n");
  assert.equal(rows.length, 4);
  const names = rows[0].split(",");
  assert.ok(rows[1].includes('"a ""b"", c"'));
  assert.ok(rows[1].includes(",'=1+1,"));
  const cells = rows[2].split(",");
  assert.equal(cells.length, names.length);
  assert.deepEqual(["rank", "box_x", "verdict", "contrast", "model"].map((name) => cells[names.indexOf(name)]), [
    "1",
    "10",
    "relevant",
    "true",
    "hmar",
  ]);
});

test("JSON has query and hits, and of a file not even the name", () => {
  const query = { identity: { file: { name: "Mustermann.dcm" }, frame_number: 1 } };
  const answer = { query: { modality: "CT" }, model: "hmar", mode: "local", bits: 128, refined: null, searched_frames: 9 };
  const search = { made: "fast", expected_recall: 0.997 };
  const text = jsonOf(query, { k: 5 }, { ...answer, search }, [HIT]);
  assert.ok(!text.includes("Mustermann"));
  const told = JSON.parse(text);
  assert.deepEqual(told.query, { frame_number: 1, file: true, modality: "CT" });
  assert.deepEqual(told.search, search);
  assert.deepEqual([told.options, told.hits[0].sop_instance_uid, told.hits[0].verdict], [{ k: 5 }, "1.1.1", null]);
});

test("an export asks for the same search, and for the hits that are shown", () => {
  const options = { k: 60, group_by: "patient", exclude: { same: "patient" }, search: "exact" };
  const hits = Array.from({ length: 60 }, (_, i) => hit({ sop_instance_uid: `1.${i}` }));
  const answer = { search: { made: "exact" } };
  const fields = exportFields(options, answer, hits, { kinds: ["sr"], to: "" });
  assert.deepEqual(Object.keys(fields).sort(), ["exclude", "group_by", "hits", "k", "kinds", "search"]);
  assert.deepEqual([fields.k, fields.hits.length, fields.hits[0]], [60, 50, { sop_instance_uid: "1.0", frame_number: 1 }]);
  assert.equal(exportFields(options, answer, hits, { kinds: ["sr"], to: "main" }).to, "main");
});

test("an export is searched for as the page was, with as many ranked", () => {
  const fieldsOf = (options, made) => exportFields(options, { search: { made } }, [HIT], { kinds: ["sr"], to: "" });
  const told = ({ search, k }) => [search, k];
  assert.deepEqual(told(fieldsOf({ k: 20 }, "exact")), ["exact", 20]);
  assert.deepEqual(told(fieldsOf({ k: 20, search: "fast" }, "exact")), ["exact", 20]);
  assert.deepEqual(told(fieldsOf({ k: 20 }, "fast")), ["fast", 21]);
  assert.deepEqual(told(fieldsOf({}, "fast")), ["fast", 11]);
  assert.deepEqual(told(fieldsOf({ k: 1000 }, "fast")), ["fast", 1000]);
  assert.deepEqual(told(fieldsOf({ k: 100, group_by: "place" }, "fast")), ["fast", 100]);
});

test("who may not export is told why", () => {
  assert.match(whyNoDicom(["search"], null), /scope export/);
  assert.match(whyNoDicom(["export"], { identity: { file: {} } }), /index the file/);
  assert.equal(whyNoDicom(["export"], { identity: {} }), "");
});

test("cells of a contact sheet lie inside it and beside one another", () => {
  for (const count of [1, 2, 7]) {
    const { width, height } = sizeOfSheet(count);
    const corners = Array.from({ length: count }, (_, number) => cellAt(number));
    assert.ok(corners.every(({ x, y }) => x > 0 && y > 0 && x < width && y < height));
    assert.equal(new Set(corners.map(({ x, y }) => `${x} ${y}`)).size, count);
  }
});

test("a sheet is no larger than browsers draw, and says how many hits it lacks", () => {
  const cards = Array.from({ length: 1000 }, (_, number) => ({ number }));
  const { cells, told } = cellsOf(cards);
  assert.deepEqual([cells, told], [cards.slice(0, 60), "the first 60 of 1000 hits"]);
  const { width, height } = sizeOfSheet(cells.length);
  assert.ok(width * height < 4096 ** 2 && height < 32_767);
  assert.equal(cellsOf(cards.slice(0, 60)).told, "");
});

test("a sheet names no file, and says where hits may be missing", () => {
  const item = { identity: { file: { name: "Mustermann.dcm" } } };
  const query = { stack: { series: null, indexOf: () => 0 }, item, regions: [] };
  const head = (made) => headOf(query, { model: "hmar", hits: [HIT, HIT], search: { made, expected_recall: 0.997 } }, "2020-03-04", "");
  assert.deepEqual(head("exact"), ["For image 1 of a file, whole image", "Model hmar · 2020-03-04", "For research; not a diagnosis"]);
  assert.match(head("fast")[2], /^For research; not a diagnosis · Fast search: 99.7.% of the 2 nearest/);
});

test("hits say whose they are: the image of a series or a file, with its regions", () => {
  const item = { identity: {} };
  const stack = { series: { modality: "CT", body_part: null }, indexOf: () => 3 };
  assert.equal(titleOf({ stack, item, regions: REGION }), "For image 4 of CT, 1 region");
  const file = { identity: { file: { name: "a.dcm" } } };
  const files = { stack: { series: null, indexOf: () => 0 }, item: file, regions: [] };
  assert.equal(titleOf(files), "For image 1 of a.dcm, whole image");
  assert.equal(titleOf(files, () => "a file"), "For image 1 of a file, whole image");
});

test("a frame that two collections hold is two hits, and one image that is judged", () => {
  const frame = { sop_instance_uid: "1.2", frame_number: 1 };
  const [a, b] = ["a", "b"].map((collection) => ({ ...frame, collection }));
  assert.ok(!isSameFrame(a, b) && keyOf(a) !== keyOf(b));
  assert.ok(isSameFrame(a, { ...a }) && isSameFrame(a, frame) && isSameFrame({ ...frame, collection: null }, b));
  assert.ok(!isSameFrame(a, { ...a, frame_number: 2 }));
  const judgements = new Judgements();
  judgements.judge(a, "relevant");
  assert.equal(judgements.verdictOf(b), "relevant");
  assert.deepEqual(judgements.options, { relevant: [frame] });
});
