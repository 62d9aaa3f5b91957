// The words around a picture: where its sides are, its scale, what is known of it, the value under the pointer.

import { byId, write } from "../dom.js";
import { Facts } from "./facts.js";
import { showLetters } from "./letters.js";
import { PatientText } from "./patient.js";
import { showScaleBar } from "./scale_bar.js";
import { showValue } from "./value_text.js";

/** Tell of the picture of a viewer what its frame and the archive know; `prefix` begins the ids of its words. */
export function installOverlay({ viewer, archive, point, prefix = "" }) {
  const word = (name) => byId(`${prefix}${name}`);
  const edges = Object.fromEntries(["left", "right", "top", "bottom"].map((edge) => [edge, word(`edge-${edge}`)]));
  const scale = { all: word("scale"), bar: word("scale-bar"), text: word("scale-text") };
  const [value, note] = ["value-text", "units-note"].map(word);
  const facts = new Facts(viewer, word("facts"));
  if (!prefix && byId("patient").dataset.pacs) new PatientText(viewer);
  archive.addEventListener("listed", () => facts.renew(archive));
  viewer.addEventListener("shown", () => {
    showLetters(viewer, edges);
    showScaleBar(viewer, scale);
    showValue(viewer, point, value);
    write(note, viewer.shown?.frame?.unitsNote ?? "");
  });
  point.addEventListener("move", () => showValue(viewer, point, value));
}
