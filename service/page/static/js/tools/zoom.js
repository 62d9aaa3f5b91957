// Zooms at the point where the stroke began: up is nearer.

const PIXELS_PER_DOUBLING = 120;

export const zoom = {
  name: "zoom",
  label: "Zoom",
  key: "z",
  hint: "Zoom: drag up or down",
  begin({ viewer, centred }) {
    let last = 0;
    return {
      move({ dy }) {
        viewer.placement.zoomAt(2 ** ((last - dy) / PIXELS_PER_DOUBLING), centred.x, centred.y);
        last = dy;
        viewer.draw();
      },
    };
  },
};
