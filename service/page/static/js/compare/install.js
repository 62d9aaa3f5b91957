// The part of the page that compares: its controls, the words beside the second picture, what is drawn over both.

import { byId, el, plural, say, showProblem } from "../dom.js";
import { paintRegions } from "../drawing/marks.js";
import { installOverlay } from "../overlay/install.js";
import { paintPoint } from "../tools/paint.js";
import { Toolbox } from "../tools/toolbox.js";
import { listen } from "../viewing/gestures.js";
import { label, labelLoading, labelsOf } from "../viewing/labels.js";
import { installBlink } from "./blink.js";
import { drawDifference } from "./difference.js";
import { Heat } from "./heat.js";
import { Links } from "./links.js";

const SETTLE_MS = 250;

export function installCompare(app) {
  const { viewer, compare, guarded } = app;
  const beside = compare.viewer;
  const links = new Links(viewer, beside);
  const why = installWhy(app);
  showBeside(beside, app.archive);
  installBlink(compare);
  installLinks(links);

  const choice = byId("beside-series");
  choice.addEventListener("change", () => guarded(() => compare.openSeries(app.archive.series[choice.value])));
  byId("compare-open").addEventListener("click", () => guarded(() => (compare.isOpen ? compare.close() : compare.start())));
  byId("beside-close").addEventListener("click", () => compare.close());

  const update = () => {
    const { isOpen } = compare;
    byId("panes").classList.toggle("comparing", isOpen);
    for (const id of ["compare-bar", "beside", "compare-foot"]) byId(id).hidden = !isOpen;
    byId("compare-open").setAttribute("aria-pressed", String(isOpen));
  };
  compare.addEventListener("opening", update);
  compare.addEventListener("changed", () => {
    update();
    if (!compare.isOpen) links.forget();
    else {
      offerSeries(choice, app.archive.series, beside.stack.series);
      guarded(() => links.pair(compare.isFollowing));
    }
    why();
  });
  viewer.addEventListener("shown", () => {
    byId("compare-open").disabled = !viewer.shown?.frame;
    if (compare.isOpen && viewer.shown && links.isOther) guarded(() => links.pair(true));
  });
  for (const one of [viewer, beside]) {
    for (const event of ["shown", "regions"]) one.addEventListener(event, () => compare.isOpen && why());
  }
}

const PREFIX = "beside-";

function showBeside(beside, archive) {
  const labels = labelsOf(PREFIX);
  beside.addEventListener("shown", () => label(beside, labels));
  beside.addEventListener("loading", () => labelLoading(beside, byId(`${PREFIX}loading`)));
  beside.addEventListener("problem", (event) => showProblem(event.detail));
  beside.addLayer(paintRegions);
  const search = () => say("A search is for the image on the left.");
  // The toolbar is that of the image on the left: here boxes are drawn, and no key takes a tool that nothing would show.
  const toolbox = Object.assign(new Toolbox(beside), { byKey: () => undefined });
  beside.addLayer(paintPoint(toolbox));
  installOverlay({ viewer: beside, archive, point: toolbox.point, prefix: PREFIX });
  listen(beside, { toolbox, search, preset: () => say("Presets are those of the image on the left.") });
}

function installLinks(links) {
  byId("link-scroll").addEventListener("change", ({ target }) => {
    links.scrolls = target.checked;
  });
  byId("link-view").addEventListener("change", ({ target }) => {
    links.views = target.checked;
  });
  links.addEventListener("told", () => {
    byId("match-text").textContent = links.words;
  });
}

/** List the series of the archive, those of the same study first. */
function offerSeries(choice, series, own) {
  const places = series.map((one, place) => [one, place]);
  const isOwnStudy = ([one]) => one.study_uid === own.study_uid;
  const ordered = [...places.filter(isOwnStudy), ...places.filter((one) => !isOwnStudy(one))];
  choice.replaceChildren(
    ...ordered.map(([one, value]) => el("option", { value, textContent: nameOf(one) })),
  );
  const isOwn = (one) => one.series_uid === own.series_uid && one.collection === own.collection;
  choice.value = String(series.findIndex(isOwn));
}

function nameOf({ modality, body_part, study_date, frames, series_uid }) {
  const known = [modality, body_part, study_date, plural(frames, "frame")].filter(Boolean).join(" ");
  return `${known} …${series_uid.slice(-6)}`;
}

/** Heat map and difference; returns what brings them up to date. */
function installWhy({ viewer, compare, guarded }) {
  const beside = compare.viewer;
  const heat = new Heat();
  const [heatBox, differenceBox] = ["heat", "difference-on"].map(byId);
  let [settling, asked] = [0, ""];
  for (const one of [viewer, beside]) one.addLayer(heat.paint);

  const draw = () => [viewer, beside].forEach((one) => one.draw());

  async function explain() {
    const key = [viewer, beside].map(({ shown, regions }) => [shown?.item.key, JSON.stringify(regions)]).join();
    if (key === asked) return;
    // Those of the pair, or the region, before it do not stay meanwhile, nor if no answer comes.
    forget();
    asked = key;
    const words = await heat.ask(viewer, beside);
    if (words === null) return;
    byId("why-text").textContent = words;
    draw();
  }

  function forget() {
    if (!asked) return;
    asked = "";
    heat.clear();
    byId("why-text").textContent = "";
    draw();
  }

  function settled() {
    settling = 0;
    const isBoth = [viewer, beside].every(({ shown }) => shown?.frame);
    const isIndexed = isBoth && [viewer, beside].every(({ shown }) => shown.identity.sop_instance_uid);
    if (compare.isOpen && heatBox.checked && isIndexed) guarded(explain);
    else forget();
    if (compare.isOpen && differenceBox.checked) drawDifference(viewer, beside);
    else byId("difference-view").hidden = true;
  }

  const update = () => {
    settling ||= setTimeout(settled, SETTLE_MS);
  };
  for (const box of [heatBox, differenceBox]) box.addEventListener("change", update);
  byId("heat-strength").addEventListener("input", ({ target }) => {
    heat.strength = target.valueAsNumber / 100;
    draw();
  });
  return update;
}
