// The part of the page that searches, shows what was found, and goes on from there.

import { listLabelNotes } from "../api.js";
import { byId } from "../dom.js";
import { boxBetween } from "../viewing/boxes.js";
import { showBanner, showDiffering } from "./banner.js";
import { Chips } from "./chips.js";
import { installControls } from "./controls.js";
import { emptyOf } from "./empty.js";
import { installExports } from "./export.js";
import { isSameFrame } from "./identity.js";
import { Judgements } from "./judgements.js";
import { indexIn } from "./place.js";
import { installRefining } from "./refine.js";
import { installThreshold } from "./threshold.js";

const SETTLE_MS = 300;

export function installResults(app) {
  const { may, pacs } = byId("results").dataset;
  const judgements = new Judgements();
  const parts = { ...app, judgements, may: words(may), pacs: words(pacs) };
  installControls(parts);
  installRefining(parts);
  installExports(parts);
  installThreshold(parts);
  new Chips(parts).draw();
  installSearch(parts);
  installWays(parts);
  installWindow(parts);
  app.guarded(async () => app.hits.explain(new Map((await listLabelNotes()).map((note) => [note.label, note]))));
}

const words = (text) => text.split(" ").filter(Boolean);

/** Search for what is on the screen; and for the same query again where something else is asked for. */
function installSearch({ viewer, asking, judgements, reading, guarded }) {
  let isDue = false;

  function again() {
    if (!isDue || reading.isSearching || !reading.query) return;
    isDue = false;
    asking.suit(reading.query);
    const options = asking.options(reading.query, reading.options.k);
    guarded(() => reading.searchAgain({ ...options, ...judgements.options }));
  }

  for (const changed of [asking, judgements]) {
    changed.addEventListener("change", () => {
      isDue = reading.query !== null || reading.isSearching;
      again();
    });
  }
  reading.addEventListener("query", again);
  const search = () => {
    asking.suit(viewer);
    guarded(() => reading.search(asking.options(viewer)));
  };
  reading.addEventListener("asked", search);
  reading.addEventListener("options", (event) => asking.take(event.detail));
  byId("compare-all").addEventListener("click", () => {
    asking.compareAll();
    guarded(async () => {
      await reading.searchAgain({ ...reading.options, search: "exact" });
      // The button is gone now: the keyboard stays with what it has set.
      if (document.activeElement === document.body) byId("how-thorough").focus();
    });
  });
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
}

/** What is shown beside the hits, and the ways on from them. */
function installWays({ viewer, asking, hits, reading, compare, guarded }) {
  function update() {
    const { shown, regions } = viewer;
    byId("search").disabled = !shown?.frame || reading.isSearching;
    byId("search").textContent = regions.length ? "Search region" : "Search image";
    byId("back").hidden = !reading.isAway;
    for (const id of ["more", "compare-all"]) byId(id).disabled = reading.isSearching;
    byId("results").classList.toggle("busy", reading.isSearching);
    byId("hits").setAttribute("aria-busy", String(reading.isSearching));
    hits.compareWith(shown);
  }

  function tell() {
    const { answer, options } = reading;
    const { text, widen, change } = emptyOf(answer, asking.state);
    byId("hits-empty").hidden = Boolean(answer?.hits.length);
    byId("hits-empty-text").textContent = text;
    Object.assign(byId("widen"), { textContent: widen, hidden: !widen, onclick: () => asking.change(change) });
    byId("more").hidden = !reading.hasMore;
    showBanner(answer, options);
    // What was set during a search is searched for next.
    showDiffering(answer && !reading.isSearching ? asking.differing(reading.query, options) : []);
  }

  /** The card that is marked is that of the hit that was opened last, if it is one. */
  function mark() {
    const { shown } = compare.isOpen ? compare.viewer : viewer;
    hits.markOpen(shown?.frame && hits.find(shown.identity));
  }

  viewer.addEventListener("shown", update);
  for (const event of ["opened", "failed", "query"]) reading.addEventListener(event, mark);
  compare.addEventListener("changed", mark);
  for (const event of ["searching", "query"]) reading.addEventListener(event, update);
  reading.addEventListener("query", tell);
  byId("back").addEventListener("click", () => guarded(() => reading.back()));
  byId("more").addEventListener("click", () => guarded(() => reading.more(asking.state.count)));
  hits.addEventListener("like", ({ detail: { hit } }) => guarded(() => searchLike(hit, { viewer, asking, reading })));
  hits.addEventListener("scroll", ({ detail: { hit, share } }) => guarded(() => scrollTo(hit, share, { viewer, reading })));
  update();
  tell();
}

const isOn = ({ shown }, hit) => Boolean(shown) && isSameFrame(shown.identity, hit);

/** Make a hit the query: its image is shown, with its box where the query had one, and searched for. */
async function searchLike(hit, { viewer, asking, reading }) {
  const isRegion = reading.query.regions.length > 0;
  await reading.ended();
  await reading.openHit(hit);
  if (!isOn(viewer, hit)) return;
  const { x, y, width, height } = hit.box;
  const box = boxBetween({ x, y }, { x: x + width, y: y + height }, hit.columns, hit.rows);
  viewer.setRegions(isRegion && box ? [{ box }] : []);
  await reading.search(asking.options(viewer));
}

/** Show the image that lies a share of the way through the place of a hit. */
async function scrollTo(hit, share, { viewer, reading }) {
  const isOpen = () => viewer.stack?.series?.collection === hit.collection;
  const at = (end) => (isOpen() ? viewer.stack.find(end.sop_instance_uid, end.frame_number) : undefined);
  if (!at(hit.place.first)) await reading.openHit(hit);
  const ends = [hit.place.first, hit.place.last].map(at);
  // Something else was opened meanwhile: it stays where it is.
  if (!ends.every(Boolean)) return;
  const [first, last] = ends.map((item) => viewer.stack.indexOf(item));
  await viewer.goTo(indexIn(first, last, share));
}

/** Hits are drawn through the viewer's display window, once it has settled. */
function installWindow({ viewer, reading, hits }) {
  let settling = 0;
  function follow() {
    clearTimeout(settling);
    settling = setTimeout(() => hits.setWindow(viewer.chosenWindow), SETTLE_MS);
  }
  viewer.addEventListener("window", follow);
  // A series of another modality gives the window that was chosen up.
  reading.addEventListener("opened", () => String(viewer.chosenWindow) !== String(hits.displayWindow) && follow());
}
