// The part of the page that searches and shows what was found.

import { byId } from "../dom.js";

const SETTLE_MS = 300;

export function installResults({ viewer, archive, hits, reading, guarded }) {
  const search = () => guarded(() => reading.search(options(archive)));

  function update() {
    const { shown, regions } = viewer;
    byId("search").disabled = !shown?.frame || reading.isSearching;
    byId("search").textContent = regions.length ? "Search region" : "Search image";
    byId("back").hidden = !reading.isAway;
    hits.compareWith(shown);
  }

  let settling = 0;
  viewer.addEventListener("window", () => {
    clearTimeout(settling);
    settling = setTimeout(() => hits.setWindow(viewer.chosenWindow), SETTLE_MS);
  });
  viewer.addEventListener("shown", update);
  for (const event of ["searching", "query"]) reading.addEventListener(event, update);
  reading.addEventListener("asked", search);
  reading.addEventListener("options", (event) => setOptions(event.detail));
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  byId("back").addEventListener("click", () => guarded(() => reading.back()));
  update();
}

/** How the controls say that is searched, in the form of the API. */
function options(archive) {
  const mode = byId("mode").value;
  return { k: byId("k").valueAsNumber || 0, ...(mode ? { mode } : {}), ...archive.limits() };
}

/** Set the controls to the options of a search, in the form of the API. */
function setOptions({ k = 10, mode = "", filters = {}, group_by }) {
  byId("k").value = k;
  byId("mode").value = mode;
  byId("modality").value = filters.modality ?? "";
  byId("per-series").checked = group_by === "series";
}
