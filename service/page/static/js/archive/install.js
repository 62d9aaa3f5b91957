// The archive's part of the page: the list of series, what can be done with them, and what is being indexed.

import { byId, el } from "../dom.js";
import { installActions } from "./actions.js";
import { installFiles } from "./files.js";
import { Jobs } from "./jobs.js";
import { installList } from "./list.js";
import { readIdentity } from "./requests.js";
import { isAllowed } from "./rights.js";

export function installArchive(app) {
  const { archive, guarded } = app;
  const tree = installList(app);
  const jobs = new Jobs({ changed: () => archive.refresh(), guarded });
  const send = (files, options) => guarded(() => jobs.send(files, options));
  installFiles(app, (files) => send(files, chosenOptions()));
  guarded(async () => {
    const identity = await readIdentity();
    const may = (scopes) => isAllowed(identity, scopes);
    byId("indexing").hidden = !may(["index"]);
    installActions(app, tree, may, (files, { collection, label }) => {
      const named = [...files].map((file) => ({ file, path: file.name }));
      send(named, { ...chosenOptions(), collection, label });
    });
    archive.addEventListener("listed", () => offerCollections(archive, identity));
    offerCollections(archive, identity);
    if (may(["index"])) await jobs.resume();
  });
}

/** Offer the collections that there are, or those alone that exist for the login. */
function offerCollections({ series }, { collections }) {
  const known = collections ?? [...new Set(series.map(({ collection }) => collection))].sort();
  byId("known-collections").replaceChildren(...known.map((value) => el("option", { value })));
  const field = byId("index-collection");
  if (collections && !collections.includes(field.value)) [field.value] = collections;
}

/** Where files are indexed, under which label, and whether their names are kept. */
function chosenOptions() {
  return {
    collection: byId("index-collection").value.trim(),
    label: byId("index-label").value.trim(),
    keepNames: byId("index-names").checked,
  };
}
