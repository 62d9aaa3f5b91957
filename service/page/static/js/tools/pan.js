// Moves the image.

export const pan = {
  name: "pan",
  label: "Pan",
  key: "m",
  hint: "Move the image",
  begin({ viewer }) {
    const { panX, panY } = viewer.placement;
    return {
      move({ dx, dy }) {
        Object.assign(viewer.placement, { panX: panX + dx, panY: panY + dy });
        viewer.draw();
      },
    };
  },
};
