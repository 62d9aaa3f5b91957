// Files of this computer: opened to look at them, or indexed; chosen, or dropped.

import { byId, say } from "../dom.js";
import { chosenFiles, droppedFiles } from "./folders.js";

/** `index(files)` is called with files that are to be indexed. */
export function installFiles({ reading, guarded }, index) {
  const open = (files) => guarded(() => reading.openFiles(files.map(({ file }) => file)));
  const start = (files) => (files.length ? index(files) : say("There is no file to index"));
  onChosen("open-files", open);
  onChosen("index-files", start);
  onChosen("index-folder", start);
  const dropped = (use) => (transfer) => guarded(() => droppedFiles(transfer).then(use));
  onDrop(byId("stage"), document, dropped(open));
  onDrop(byId("archive"), byId("archive"), dropped(start));
}

function onChosen(id, use) {
  byId(id).addEventListener("change", (event) => {
    const files = chosenFiles(event.target.files);
    event.target.value = "";
    if (files.length) use(files);
  });
}

/** Take what is dropped within an element; `shown` tells while something is held over it. */
function onDrop(shown, within, use) {
  for (const name of ["dragover", "dragleave", "drop"]) {
    within.addEventListener(name, (event) => {
      event.preventDefault();
      event.stopPropagation();
      shown.classList.toggle("dropping", name === "dragover");
      if (name === "drop") use(event.dataTransfer);
    });
  }
}
