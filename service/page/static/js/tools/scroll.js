// Scrolls through the series: an image for so many points of the way down or up.

const PIXELS_PER_IMAGE = 8;

export const scroll = {
  name: "scroll",
  label: "Scroll",
  key: "s",
  hint: "Scroll: drag up or down",
  begin({ viewer }) {
    let gone = 0;
    return {
      move({ dy }) {
        const steps = Math.trunc(dy / PIXELS_PER_IMAGE);
        for (; gone < steps; gone += 1) viewer.step(1);
        for (; gone > steps; gone -= 1) viewer.step(-1);
      },
    };
  },
};
