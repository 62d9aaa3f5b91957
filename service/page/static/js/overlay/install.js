// The words around the picture: where its sides are, its scale, what is known of it, the value under the pointer.

import { byId, write } from "../dom.js";
import { Facts } from "./facts.js";
import { showLetters } from "./letters.js";
import { PatientText } from "./patient.js";
import { showScaleBar } from "./scale_bar.js";
import { showValue } from "./value_text.js";

export function installOverlay({ viewer, archive }, point) {
  const facts = new Facts(viewer);
  if (byId("patient").dataset.pacs) new PatientText(viewer);
  archive.addEventListener("listed", () => facts.renew(archive));
  viewer.addEventListener("shown", () => {
    showLetters(viewer);
    showScaleBar(viewer);
    showValue(viewer, point);
    write("units-note", viewer.shown?.frame?.unitsNote ?? "");
  });
  point.addEventListener("move", () => showValue(viewer, point));
}
