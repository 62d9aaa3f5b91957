// The frame of the page: theme, panels, splitters.

import { byId } from "../dom.js";
import { Panels } from "./panels.js";
import { installSplitter } from "./splitter.js";
import { installTheme } from "./theme.js";

export function installShell({ reading }) {
  installTheme(byId("theme"));
  const panels = new Panels();
  for (const splitter of document.querySelectorAll(".splitter")) installSplitter(splitter, panels);

  let query = reading.query;
  let isBroughtBack = false;
  reading.addEventListener("opening", () => panels.show("image"));
  // A search that an address brings back, as after a reload, leaves the panels as they were left.
  reading.addEventListener("options", () => {
    isBroughtBack = true;
  });
  reading.addEventListener("query", () => {
    if (reading.query !== query && !isBroughtBack) panels.show("hits");
    query = reading.query;
    isBroughtBack = false;
  });
}
