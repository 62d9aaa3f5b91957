// How the picture is turned, as an address tells it: `invert`, `flip`, and the degrees clockwise.

const TURNS = ["0", "90", "180", "270"];

/** The view of a viewer; null where it is as the image was opened. */
export function viewOf({ isInverted, placement: { flipped, turns } }) {
  return isInverted || flipped || turns ? { isInverted, flipped, turns } : null;
}

/** Give a viewer a view; null is that of an image that was opened. */
export function setView(viewer, view) {
  const { isInverted, flipped, turns } = view ?? { isInverted: false, flipped: false, turns: 0 };
  viewer.isInverted = isInverted;
  Object.assign(viewer.placement, { flipped, turns });
  viewer.draw();
}

/** A view as a text, null for none. */
export const viewText = (view) =>
  view && [view.isInverted && "invert", view.flipped && "flip", view.turns && TURNS[view.turns]].filter(Boolean).join(",");

/** Read such a text; null for what is none. */
export function viewIn(text) {
  const words = text?.split(",") ?? [];
  const view = {
    isInverted: words.includes("invert"),
    flipped: words.includes("flip"),
    turns: Math.max(0, ...words.map((word) => TURNS.indexOf(word))),
  };
  return text && viewText(view) === text ? view : null;
}
