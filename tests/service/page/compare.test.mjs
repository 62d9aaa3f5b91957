// Two images beside one another: which ones, and how far they differ.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, FakeCanvas } from "./browser.mjs";
import { Compare } from "../../../service/page/static/js/compare/compare.js";
import { nearness } from "../../../service/page/static/js/compare/heat.js";
import { Links } from "../../../service/page/static/js/compare/links.js";
import { differenceOf, patchOf, placeOf, SIDE } from "../../../service/page/static/js/compare/patches.js";
import { ownPlaces, placesOf } from "../../../service/page/static/js/compare/places.js";

const told = (uid, number) => ({ sop_instance_uid: `${uid}.${number}`, frame_number: 1, instance_number: number });

/** A stack of an indexed series. */
function stackOf(uid, length) {
  const items = Array.from({ length }, (_, i) => ({ key: `${uid}.${i}` }));
  const find = (sop, frame) => (frame === 1 ? items[Number(sop.split(".").at(-1))] : undefined);
  return { series: { series_uid: uid }, items, length, find, indexOf: (item) => items.indexOf(item) };
}

/** What is known of a viewer by one that is linked with it. */
class FakeViewer extends EventTarget {
  placement = { zoom: 1, panX: 0, panY: 0, turns: 0, flipped: false };
  canvas = new FakeCanvas();
  chosenWindow = null;
  draws = 0;

  open(stack, index) {
    this.stack = stack;
    this.goTo(index);
  }

  goTo(index) {
    this.shown = { item: this.stack.items[index], index };
    this.dispatchEvent(new Event("shown"));
  }

  get wish() {
    return this.shown.item;
  }

  setWindow(chosen) {
    this.chosenWindow = chosen;
    this.dispatchEvent(new Event("window"));
  }

  draw() {
    this.draws += 1;
    this.dispatchEvent(new Event("shown"));
  }
}

/** A prior of four slices beside a current study of eight: each slice of the prior is every other one of it. */
async function linked() {
  const answers = {
    1: { order: "forward", frames: Array.from({ length: 8 }, (_, i) => ({ ...told(1, i), beside: told(2, i >> 1), distance: i })) },
    2: { order: "forward", frames: Array.from({ length: 4 }, (_, i) => ({ ...told(2, i), beside: told(1, 2 * i), distance: 0 })) },
  };
  const { requests } = browser((path) => Response.json(answers[path.match(/series\/(\d)/)[1]]));
  const listeners = [];
  document.addEventListener = (_, use) => listeners.push(use);
  const [main, beside] = [new FakeViewer(), new FakeViewer()];
  const links = new Links(main, beside);
  main.open(stackOf("1", 8), 4);
  beside.open(stackOf("2", 4), 0);
  const handle = (target) => listeners[0]({ target });
  await links.pair(true);
  return { main, beside, links, handle, requests };
}

test("a series that was chosen comes at its place, and scrolls with the other one by anatomy", async () => {
  const { main, beside, links } = await linked();
  assert.equal(beside.shown.index, 2);
  main.goTo(7);
  assert.equal(beside.shown.index, 3);
  assert.match(links.words, /in the same order; nearest is image 4, 7 of 128 bits differ/);
  links.scrolls = false;
  main.goTo(0);
  assert.equal(beside.shown.index, 3);
});

test("the one that the reader handles leads, and the other does not pull it back", async () => {
  const { main, beside, handle } = await linked();
  handle(beside.canvas);
  beside.goTo(1);
  assert.deepEqual([main.shown.index, beside.shown.index], [2, 1]);
  handle(main.canvas);
  main.goTo(3);
  assert.deepEqual([main.shown.index, beside.shown.index], [3, 1]);
});

test("window, zoom and turns are alike where they are linked, and nothing is drawn without end", async () => {
  const { main, beside, links } = await linked();
  main.setWindow([40, 400, "HU"]);
  assert.deepEqual(beside.chosenWindow, [40, 400, "HU"]);
  beside.setWindow([1, 2, "HU"]);
  assert.deepEqual(main.chosenWindow, [1, 2, "HU"]);
  Object.assign(main.placement, { zoom: 3, turns: 1 });
  main.draw();
  assert.deepEqual([beside.placement, beside.draws], [main.placement, 1]);
  main.draw();
  assert.equal(beside.draws, 1);
  links.views = false;
  main.setWindow([5, 6, "HU"]);
  assert.deepEqual(beside.chosenWindow, [1, 2, "HU"]);
});

test("what the server did not say is not told as being looked for, and is asked for again", async () => {
  const { main, links } = await linked();
  const { fetch } = globalThis;
  globalThis.fetch = async () => Response.json({ title: "away", detail: "", remedy: "" }, { status: 500 });
  main.open(stackOf("1", 8), 0);
  await assert.rejects(links.pair(true));
  assert.match(links.words, /is not known/);
  globalThis.fetch = fetch;
  await links.pair(true);
  assert.match(links.words, /same order; nearest is image 1/);
});

test("files of this computer are shown beside, and do not scroll by anatomy", async () => {
  const { main, beside, links, requests } = await linked();
  const asked = requests.length;
  main.open({ ...stackOf("3", 3), series: null }, 0);
  assert.equal(links.isOther, true);
  await links.pair(true);
  assert.match(links.words, /do not scroll by anatomy/);
  main.goTo(2);
  assert.deepEqual([beside.shown.index, requests.length], [2, asked]);
});

test("a stack is beside itself without a question, and frames that a page does not know are left out", () => {
  const stack = stackOf("1", 3);
  assert.equal(ownPlaces(stack).get(stack.items[2]).item, stack.items[2]);
  const frames = [{ ...told(1, 0), beside: told(2, 9), distance: 1 }, { ...told(1, 9), beside: told(2, 0), distance: 1 }];
  assert.equal(placesOf({ frames }, stack, stackOf("2", 2)).size, 0);
});

const SHADES = Uint8Array.from({ length: 65536 }, (_, value) => Math.min(255, value));

/** A frame whose values are its columns, times so much. */
const ramp = (columns, factor, spacing) => ({
  rows: columns,
  columns,
  spacing,
  coloured: false,
  values: Int16Array.from({ length: columns * columns }, (_, i) => (i % columns) * factor),
});

test("the same place of a fine and of a coarse image has the same greys at equal millimetres", () => {
  const fine = ramp(64, 1, [1, 1]);
  const coarse = ramp(32, 2, [2, 2]);
  const place = placeOf(fine, { x: 20, y: 20, width: 24, height: 16 });
  assert.equal(place.size, 24);
  const other = placeOf(coarse, { x: 10, y: 10, width: 12, height: 8 });
  const [one, two] = [patchOf(fine, SHADES, place, 24), patchOf(coarse, SHADES, other, 24)];
  const { mean, patch } = differenceOf(one, two);
  assert.ok(mean < 1 / 255, String(mean));
  assert.ok(Math.max(...patch) <= 1);
});

test("what lies beyond an image counts for no difference", () => {
  const frame = ramp(8, 10, null);
  const whole = placeOf(frame, null);
  assert.deepEqual([whole.x, whole.y, whole.size], [4, 4, 8]);
  const patch = patchOf(frame, SHADES, { ...whole, x: 0 }, 8);
  assert.equal(patch[0], -1);
  assert.equal(patch[SIDE - 1], 35);
  const inverse = patch.map((grey) => (grey < 0 ? grey : 255 - grey));
  const { mean, patch: differences } = differenceOf(patch, inverse);
  assert.equal(differences[0], -1);
  assert.ok(mean > 0.5);
  assert.equal(differenceOf(new Int16Array(4).fill(-1), new Int16Array(4)).mean, null);
});

test("a grey between two pixels lies between theirs, and colour counts by its mean", () => {
  const frame = ramp(4, 100, null);
  const patch = patchOf(frame, SHADES, { x: 2, y: 2, rowMm: 1, columnMm: 1 }, 1);
  const middle = patch[(SIDE / 2) * SIDE + SIDE / 2];
  assert.ok(Math.abs(middle - 150) <= 1);
  const colour = { rows: 1, columns: 1, coloured: true, spacing: null, values: Uint8Array.of(30, 60, 90) };
  assert.equal(patchOf(colour, SHADES, placeOf(colour), 1)[0], 60);
});

test("a place has the more colour the nearer it is, and none where nothing is in common", () => {
  assert.deepEqual([0, 32, 64, 100, null].map((distance) => nearness(distance, 128)), [1, 0.5, 0, 0, 0]);
});

/** The second viewer over an archive of two series, whose lists of images come when they are let. */
function compared(series = [{ series_uid: "1" }, { series_uid: "2" }]) {
  browser();
  class FlatCanvas extends FakeCanvas {
    getContext = (kind) => (kind === "webgl2" ? null : super.getContext(kind));
  }
  globalThis.document.getElementById = () => new FlatCanvas();
  const come = new Map();
  const reading = {
    placeIn: ({ box }) => box,
    stackOf: (one) => new Promise((resolve) => come.set(one.series_uid, () => resolve(stackOf(one.series_uid, 3)))),
    findHit: async ({ series_uid }) => {
      const stack = await reading.stackOf({ series_uid });
      return { stack, item: stack.items[0] };
    },
  };
  const compare = new Compare({ store: { leave() {} }, viewer: { shown: null }, archive: { series }, reading });
  const opened = [];
  compare.viewer.open = async ({ series: { series_uid } }) => opened.push(series_uid);
  return { compare, come, opened, series };
}

test("what was asked for last lies beside, and nothing that was closed meanwhile", async () => {
  const { compare, come, opened, series } = compared();
  const first = compare.openSeries(series[0]);
  const second = compare.openHit({ series_uid: "2", box: null });
  come.get("2")();
  await second;
  come.get("1")();
  await first;
  assert.deepEqual(opened, ["2"]);
  const third = compare.openSeries(series[0]);
  compare.close();
  come.get("1")();
  await third;
  assert.deepEqual([opened, compare.isOpen], [["2"], false]);
});

test("where nothing is indexed there is nothing to compare with, which is said", async () => {
  await assert.rejects(compared([]).compare.start(), { title: "Nothing to compare with" });
});
