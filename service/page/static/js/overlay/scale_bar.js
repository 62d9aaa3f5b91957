// A bar of a round length in mm, as the image is zoomed.

import { write } from "../dom.js";

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

/** Its width on the page, from its pixels: to ask for that itself would lay the page out once more for each image. */
const widthOf = (canvas) => canvas.width / (devicePixelRatio || 1);

/** Draw the bar of a viewer's picture: `all` holds the `bar` and the `text` with its length. */
export function showScaleBar(viewer, { all, bar: line, text }) {
  const perMm = viewer.shown?.frame ? pointsPerMm(viewer) : null;
  const bar = perMm && barOf(perMm, widthOf(viewer.canvas) * MOST_SHARE);
  all.hidden = !bar;
  if (!bar) return;
  line.style.width = `${bar.points.toFixed(1)}px`;
  write(text, `${Number(bar.mm.toPrecision(6))} mm`);
}
