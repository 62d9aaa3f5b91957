// The display window in the toolbar: presets as a list, centre and width as numbers.

import { byId, el } from "../dom.js";
import { presetsFor } from "./presets.js";

const short = (value) => String(Number(value.toPrecision(5)));

export class WindowControls {
  #presets = [];
  #names = "";
  #state = null;

  constructor(viewer) {
    this.viewer = viewer;
    byId("preset").addEventListener("change", (event) => this.use(Number(event.target.value)));
    for (const field of ["centre", "width"]) {
      byId(field).addEventListener("change", () => this.#type());
      byId(field).addEventListener("blur", () => this.#renew());
    }
    this.update();
  }

  /** Use a preset by its place. */
  use(index) {
    const preset = this.#presets[index];
    if (preset) this.viewer.setWindow(preset.window);
  }

  /** Show the window of the picture on the screen, and the presets that it has. */
  update() {
    const { shown } = this.viewer;
    const frame = shown?.frame ?? null;
    const { shownWindow, chosenWindow } = this.viewer;
    const state = [frame?.units, frame?.coloured, shown?.stack.id, frame && shownWindow, shown?.window, chosenWindow].join();
    if (state === this.#state) return;
    this.#state = state;
    this.#presets = presetsFor(frame, shown?.stack.series?.body_part);
    this.#offer();
    for (const id of ["preset", "centre", "width"]) byId(id).disabled = !frame || frame.coloured;
    const [centre, width] = frame && !frame.coloured ? shownWindow : ["", ""];
    show("centre", centre);
    show("width", width);
    this.#match(shown);
  }

  #offer() {
    const names = this.#presets.map(({ name }) => name).join();
    if (names === this.#names) return;
    this.#names = names;
    const options = this.#presets.map(({ name, title }, index) =>
      el("option", { value: String(index), textContent: index < 9 ? `${index + 1} ${name}` : name, title }),
    );
    byId("preset").replaceChildren(...options, el("option", { value: "", textContent: "Custom", hidden: true }));
  }

  /** Mark the preset in use; the chosen window is not where the picture is shown through its own. */
  #match(shown) {
    const used = shown?.window ? this.viewer.chosenWindow : null;
    const index = this.#presets.findIndex((preset) => String(preset.window) === String(used));
    byId("preset").value = index < 0 ? "" : String(index);
  }

  #type() {
    const { shown } = this.viewer;
    const [centre, width] = ["centre", "width"].map((id) => byId(id).valueAsNumber);
    if (shown?.frame && Number.isFinite(centre) && width >= 1) this.viewer.setWindow([centre, width, shown.frame.units]);
  }

  /** Show the window in use again, where what was typed is none. */
  #renew() {
    this.#state = null;
    this.update();
  }
}

/** What the reader is typing stays. */
function show(id, value) {
  const field = byId(id);
  if (field !== document.activeElement) field.value = value === "" ? "" : short(value);
}
