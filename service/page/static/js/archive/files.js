// Files of this computer: opened to look at them, or indexed.

import { byId } from "../dom.js";
import { indexFiles } from "./indexing.js";

export function installFiles({ archive, reading, guarded }) {
  const open = (files) => guarded(() => reading.openFiles(files));
  onChosen("open-files", open);
  onChosen("index-files", (files) => files.length && guarded(() => indexFiles(files, () => archive.refresh())));
  const stage = byId("stage");
  for (const name of ["dragover", "dragleave", "drop"]) {
    window.addEventListener(name, (event) => {
      event.preventDefault();
      stage.classList.toggle("dropping", name === "dragover");
      if (name === "drop") open([...event.dataTransfer.files]);
    });
  }
}

function onChosen(id, use) {
  byId(id).addEventListener("change", (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    use(files);
  });
}
