// Sets the display window: across is its width, down its centre.

const HU_PER_PIXEL = 2;
const PERCENT_PER_PIXEL = 0.3;
const PIXELS_PER_RANGE = 500;

export const windowing = {
  name: "window",
  label: "Window",
  key: "w",
  hint: "Display window: drag across for its width, down for its centre",
  begin({ viewer, frame: { units, coloured } }) {
    if (coloured) return null;
    const [centre, width] = viewer.shownWindow;
    return {
      move({ viewer: { shown }, dx, dy }) {
        const speed = speedOf(shown.frame);
        const rounded = (value) => (speed < 0.2 ? Number(value.toPrecision(4)) : Math.round(value));
        viewer.setWindow([rounded(centre + dy * speed), Math.max(1, rounded(width + dx * speed)), units]);
      },
    };
  },
};

/** How much a point of the way changes a window: of unknown units, a part of what the file can show. */
export function speedOf({ units, most, least, slope }) {
  if (units === "HU") return HU_PER_PIXEL;
  if (units === "presentation") return PERCENT_PER_PIXEL;
  return (Math.max(1, most - least) * Math.abs(slope)) / PIXELS_PER_RANGE;
}
