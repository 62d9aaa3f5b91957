// A reader in a hurry: acts at random on the page, while window.watch looks whether all that is said is true.

const [{ actions, files, series }] = arguments;

const { watch } = window;
const { state, random } = watch;
const byId = (id) => document.getElementById(id);
const among = (low, high) => low + Math.floor(random() * (high - low + 1));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const PATIENCE_MS = 20_000;

async function until(condition, what) {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) return watch.fault(`waited in vain: ${what}`);
    await pause(20);
  }
}

const isQuiet = () => byId("loading").hidden && watch.onScreen !== null;
const press = (key, repeat = false) =>
  byId("canvas").dispatchEvent(new KeyboardEvent("keydown", { key, repeat, bubbles: true, cancelable: true }));

function slide(value) {
  byId("slider").value = value;
  byId("slider").dispatchEvent(new Event("input", { bubbles: true }));
}

function openFiles() {
  state.wanted = "files";
  const chosen = new DataTransfer();
  for (const { name, content } of files) {
    chosen.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
  }
  byId("open-files").files = chosen.files;
  byId("open-files").dispatchEvent(new Event("change", { bubbles: true }));
}

function clickSeries(number = among(0, series.length - 1)) {
  state.wanted = series[number];
  const rows = [...document.querySelectorAll("#series .row.series")];
  rows.sort((a, b) => (a.dataset.key < b.dataset.key ? -1 : 1))[number].click();
}

async function search() {
  const asked = state.searches.length;
  if (!byId("search").disabled) byId("search").click();
  return until(() => state.searches.length > asked || byId("search").disabled, "a search");
}

/** Go back to the query: when nothing more is loaded, its very picture must be on the screen. */
async function back() {
  await until(() => !byId("search").disabled, "the answer to a search");
  if (byId("back").hidden) return;
  const { query } = state;
  state.wanted = null;
  byId("back").click();
  // Drawn at the next redraw where it is in memory, else loaded first, which is said.
  for (let redraws = 0; redraws < 2; redraws += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
  await until(isQuiet, "the query");
  if (watch.onScreen !== query) watch.fault("Back shows another image", { query });
}

/** Search for the last file, let one before it turn out to have many frames, and go back. */
async function expand() {
  openFiles();
  await until(() => isQuiet() && byId("slider").max === String(files.length), "the files");
  slide(files.length);
  await until(() => isQuiet() && watch.onScreen === files.at(-1).number, "the last file");
  await search();
  await until(() => !byId("search").disabled && state.query === files.at(-1).number, "its hits");
  slide(2);
  await until(() => isQuiet() && Number(byId("slider").max) > files.length, "the frames of a file");
  await back();
}

async function hold() {
  const key = random() < 0.7 ? "ArrowDown" : "ArrowUp";
  for (let step = among(3, 30); step > 0; step -= 1) {
    press(key, true);
    if (random() < 0.04) byId("search").click();
    await pause(33);
  }
}

async function drag() {
  for (let step = among(2, 12); step > 0; step -= 1) {
    slide(among(1, Number(byId("slider").max)));
    await pause(25);
  }
}

const WAYS = [
  [6, hold],
  [4, drag],
  [4, async () => clickSeries()],
  [1, async () => openFiles()],
  [3, search],
  [2, back],
  [2, async () => press(String(among(1, 5)))],
  [1, async () => press(random() < 0.5 ? "Home" : "End")],
  [3, async () => pause(among(0, 900))],
];

function chosen() {
  let left = random() * WAYS.reduce((sum, [share]) => sum + share, 0);
  return WAYS.find(([share]) => (left -= share) < 0)[1];
}

async function walk() {
  clickSeries(0);
  await until(isQuiet, "a series");
  await expand();
  for (let number = 0; number < actions && !state.faults.length; number += 1) {
    await chosen()();
    await pause(among(0, 250));
  }
  await until(isQuiet, "the last image");
  if (!byId("frame-text").textContent.startsWith(`Image ${byId("slider").value} of`)) watch.fault("the slider is elsewhere");
  const kind = byId("picture").getContext("2d") ? "2d" : "webgl2";
  return { kind, faults: state.faults.slice(0, 5), drawn: state.drawn.length, checks: state.checks, searches: state.searches.length };
}

walk()
  .catch((error) => ({ error: `${error.stack ?? error}` }))
  .then((told) => Object.assign(window, { walked: told }));
