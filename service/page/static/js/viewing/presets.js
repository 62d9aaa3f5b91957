// Display window presets: buttons, and the keys 1 to 5.

import { byId, el } from "../dom.js";

const FILE = { name: "File", window: null };
const CT = [
  FILE,
  { name: "Lung", window: [-600, 1500, "HU"] },
  { name: "Mediastinum", window: [40, 400, "HU"] },
  { name: "Bone", window: [400, 1800, "HU"] },
  { name: "Brain", window: [40, 80, "HU"] },
];

const same = (a, b) => (a && b ? a[0] === b[0] && a[1] === b[1] : a === b);

export class Presets {
  #buttons = [];

  constructor(viewer) {
    this.viewer = viewer;
    this.#buttons = CT.map((preset, index) => {
      const [centre, width] = preset.window ?? [];
      const title = preset.window ? `Centre ${centre}, width ${width} HU` : "The file's own display window";
      return el("button", { type: "button", textContent: preset.name, title, onclick: () => this.use(index) });
    });
    byId("presets").append(...this.#buttons);
    this.update();
  }

  /** Use a preset by its place; HU presets only where the values are HU. */
  use(index) {
    if (!this.#buttons[index].disabled) this.viewer.setWindow(CT[index].window);
  }

  update() {
    const units = this.viewer.shown?.frame?.units;
    this.#buttons.forEach((button, index) => {
      button.disabled = units !== "HU" && !(units && CT[index] === FILE);
      button.setAttribute("aria-pressed", String(Boolean(units) && same(CT[index].window, this.viewer.chosenWindow)));
    });
  }
}
