// A bar of a round length in mm, as the image is zoomed.

import { byId, write } from "../dom.js";

/** Share of the picture's width that the bar has at most. */
const MOST_SHARE = 0.3;

/** The longest of 1, 2, 5, 10, 20, 50… mm that fits into so many points; null where the scale is not known. */
export function barOf(pointsPerMm, mostPoints) {
  const most = mostPoints / pointsPerMm;
  if (!(most > 0) || !Number.isFinite(most)) return null;
  const power = 10 ** Math.floor(Math.log10(most));
  const mm = [5, 2, 1].find((step) => step * power <= most) * power;
  return { mm, points: mm * pointsPerMm };
}

/** Points of the canvas to a millimetre; null where the spacing is unknown. */
const pointsPerMm = ({ placement, shown: { frame } }) => (frame.spacing ? placement.scale / frame.spacing[0] : null);

export function showScaleBar(viewer) {
  const perMm = viewer.shown?.frame ? pointsPerMm(viewer) : null;
  const bar = perMm && barOf(perMm, viewer.canvas.clientWidth * MOST_SHARE);
  byId("scale").hidden = !bar;
  if (!bar) return;
  byId("scale-bar").style.width = `${bar.points.toFixed(1)}px`;
  write("scale-text", `${Number(bar.mm.toPrecision(6))} mm`);
}
