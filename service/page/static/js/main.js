// The page: archive on the left, viewer in the middle, hits on the right.

import { listFrames, logOut, Problem } from "./api.js";
import { Archive } from "./archive.js";
import { byId, clearProblem, plural, say, showProblem } from "./dom.js";
import { listen } from "./gestures.js";
import { Hits } from "./hits.js";
import { indexFiles } from "./indexing.js";
import { launched } from "./launch.js";
import { Presets } from "./presets.js";
import { FileStack, IndexedStack } from "./stacks.js";
import { Viewer } from "./viewer.js";

const SETTLE_MS = 300;

const viewer = new Viewer(byId("canvas"));
const presets = new Presets(viewer);
const archive = new Archive((series) => guarded(() => openSeries(series)));
const hits = new Hits((hit) => guarded(() => openHit(hit)));
const stacks = new Map();
let query = null;
let searching = false;

/** Run an action of the user; an error is shown on the page. */
async function guarded(action) {
  clearProblem();
  try {
    await action();
  } catch (problem) {
    showProblem(problem);
  }
}

async function stackOf(series) {
  const key = `${series.collection}/${series.series_uid}/${series.frames}`;
  if (!stacks.has(key)) stacks.set(key, new IndexedStack(series, await listFrames(series)));
  return stacks.get(key);
}

async function openSeries(series) {
  const stack = await stackOf(series);
  archive.mark(series);
  say("");
  await viewer.show(stack, Math.floor(stack.length / 2));
}

async function openFiles(files) {
  if (!files.length) return;
  archive.mark(null);
  say(files.length === 1 ? `Opened ${files[0].name}` : `Opened ${plural(files.length, "file")}`);
  await viewer.show(new FileStack(files));
}

async function openHit(hit) {
  let series = archive.find(hit.series_uid, hit.collection);
  let stack = series && (await stackOf(series));
  if (!stack || stack.find(hit.sop_instance_uid, hit.frame_number) < 0) {
    // It was indexed after the page was loaded.
    await archive.refresh();
    series = archive.find(hit.series_uid, hit.collection) ?? { ...hit, frames: 0 };
    stack = await stackOf(series);
  }
  const index = stack.find(hit.sop_instance_uid, hit.frame_number);
  if (index < 0) {
    throw new Problem({ title: "The image is gone", detail: "It was found, but is no longer indexed.", remedy: "Search again." });
  }
  archive.mark(series);
  await viewer.show(stack, index, { hitBox: hit.box });
}

async function search() {
  if (!viewer.picture || searching) return;
  const { stack, index, box } = viewer;
  const mode = byId("mode").value;
  const options = { k: byId("k").valueAsNumber || 0, ...(mode ? { mode } : {}), ...archive.limits() };
  searching = true;
  byId("search").disabled = true;
  say(box ? "Searching for the boxed region…" : "Searching for the whole image…");
  await guarded(async () => {
    const answer = await stack.search(index, box, options);
    query = { stack, index, box };
    hits.show(answer, viewer.displayWindow, stack.series?.series_uid);
    say(`${plural(answer.hits.length, "hit")}${box ? " for the region" : ""}`);
  });
  searching = false;
  update();
}

/** Update the controls to match what the viewer shows. */
function update() {
  const { stack, index, box, picture } = viewer;
  const slider = byId("slider");
  slider.disabled = !stack || stack.length < 2;
  slider.max = stack?.length ?? 1;
  slider.value = index + 1;
  slider.setAttribute("aria-valuetext", `Image ${index + 1} of ${slider.max}`);
  byId("search").disabled = !picture || searching;
  byId("search").textContent = box ? "Search region" : "Search image";
  byId("back").hidden = !query || (query.stack === stack && query.index === index);
  presets.update();
}

let settling = 0;
viewer.addEventListener("window", () => {
  clearTimeout(settling);
  settling = setTimeout(() => hits.setWindow(viewer.displayWindow), SETTLE_MS);
  presets.update();
});
viewer.addEventListener("frame", update);
viewer.addEventListener("box", update);
viewer.addEventListener("problem", (event) => showProblem(event.detail));
listen(viewer, { search, preset: (index) => presets.use(index) });

byId("slider").addEventListener("input", (event) => viewer.scrollTo(event.target.valueAsNumber - 1));
byId("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
byId("back").addEventListener("click", () =>
  guarded(async () => {
    archive.mark(query.stack.series);
    await viewer.show(query.stack, query.index, { box: query.box });
    byId("canvas").focus();
  }),
);
byId("logout").addEventListener("click", () => guarded(() => logOut().then(() => location.reload())));

byId("open-files").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  guarded(() => openFiles(files));
});
byId("index-files").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  if (files.length) guarded(() => indexFiles(files, () => archive.refresh()));
});

const stage = byId("stage");
for (const name of ["dragover", "dragleave", "drop"]) {
  window.addEventListener(name, (event) => {
    event.preventDefault();
    stage.classList.toggle("dropping", name === "dragover");
    if (name === "drop") guarded(() => openFiles([...event.dataTransfer.files]));
  });
}

guarded(async () => {
  await archive.refresh();
  const opened = await launched(new URLSearchParams(location.search), archive);
  if (!opened) return;
  const stack = await stackOf(opened.series);
  archive.mark(opened.series);
  await viewer.show(stack, opened.indexIn(stack), { box: opened.box });
  update();
});
update();
