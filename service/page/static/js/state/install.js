// The part of the page that keeps its state: in the address, in the history of searches, over failures and logins.

import { byId } from "../dom.js";
import { encode } from "./address.js";
import { Again } from "./again.js";
import { installBanner } from "./banner.js";
import { searchState } from "./current.js";
import { installExpired } from "./expired.js";
import { installHistory } from "./history.js";
import { Searches } from "./searches.js";
import { installShare } from "./share.js";
import { Trail } from "./trail.js";

export function installState(app) {
  const { archive, guarded } = app;
  const trail = new Trail(app);
  const searches = new Searches(document.body.dataset.login);
  const again = new Again(app, guarded);
  trail.start();
  noteSearches(app, searches);
  installHistory(app, searches, (address) => guarded(() => trail.go(address)));
  installShare(app);
  installBanner(again);
  installExpired(again);
  byId("logout").addEventListener("click", () => searches.end());
  guarded(async () => {
    await archive.refresh();
    await trail.restore();
  });
}

function noteSearches(app, searches) {
  let noted = null;
  app.reading.addEventListener("query", () => {
    const isNew = app.reading.answer !== noted;
    noted = app.reading.answer;
    const state = isNew && searchState(app);
    if (state) searches.add(encode(state, Infinity), Date.now(), noted.search.made === "fast");
  });
}
