// The display window in the toolbar: presets as a list, centre and width as numbers.

import { byId, el } from "../dom.js";
import { presetsFor } from "./presets.js";

const same = (a, b) => (a && b ? a[0] === b[0] && a[1] === b[1] : a === b);
const short = (value) => String(Number(value.toPrecision(5)));

export class WindowControls {
  #presets = [];
  #names = "";
  #matched = "";
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
    if (preset) this.viewer.setWindow(preset.of(this.viewer.shown.frame));
  }

  /** Show the window of the picture on the screen, and the presets that it has. */
  update() {
    const { shown } = this.viewer;
    const frame = shown?.frame ?? null;
    const state = [frame?.units, frame?.coloured, shown?.stack.id, frame && this.viewer.shownWindow, shown?.window].join();
    if (state === this.#state) return;
    this.#state = state;
    this.#presets = presetsFor(frame, shown?.stack.series?.body_part);
    this.#offer();
    for (const id of ["preset", "centre", "width"]) byId(id).disabled = !frame || frame.coloured;
    const [centre, width] = frame ? this.viewer.shownWindow : ["", ""];
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

  /** Mark the preset in use, where the window is another one than before: presets may count the image's values. */
  #match(shown) {
    const chosen = shown?.window ?? null;
    const key = `${this.#names} ${chosen}`;
    if (key === this.#matched) return;
    this.#matched = key;
    const index = this.#presets.findIndex((preset) => same(preset.of(shown.frame)?.slice(0, 2) ?? null, chosen));
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
