// The panels: how wide those beside the image are, whether they are there, and which one a phone shows.

import { byId } from "../dom.js";
import { keep, kept } from "./kept.js";
import { clamped, layoutOf, SIDES } from "./layout.js";

/** Event: `changed`, when a panel has another width, or came or went. */
export class Panels extends EventTarget {
  #main = byId("panels");
  #layout = layoutOf(kept("layout"));
  #tabs = [...document.querySelectorAll(".panel-bar button")];
  #toggles = [...document.querySelectorAll(".collapse")];

  constructor() {
    super();
    for (const tab of this.#tabs) tab.addEventListener("click", () => this.show(tab.dataset.panel));
    for (const toggle of this.#toggles) toggle.addEventListener("click", () => this.toggle(nameOf(toggle)));
    this.#apply();
  }

  get total() {
    return this.#main.clientWidth;
  }

  widthOf(name) {
    return Math.round(panel(name).getBoundingClientRect().width);
  }

  isHidden(name) {
    return this.#layout.hidden[name];
  }

  /** Give a panel a width; null is the page's own. */
  setWidth(name, width) {
    if (width === null) delete this.#layout.widths[name];
    else this.#layout.widths[name] = clamped(name, width, this.total);
    this.#layout.hidden[name] = false;
    this.#change();
  }

  toggle(name, isHidden = !this.isHidden(name)) {
    this.#layout.hidden[name] = isHidden;
    this.#change();
  }

  /** Bring a panel to the front: where there is room for one alone it is that one. */
  show(name) {
    this.#main.dataset.panel = name;
    for (const tab of this.#tabs) tab.setAttribute("aria-current", String(tab.dataset.panel === name));
    if (this.isHidden(name)) this.toggle(name, false);
    this.#keepFocus(name);
  }

  /** Focus does not stay on what can no longer be seen. */
  #keepFocus(name) {
    const left = document.activeElement?.closest(".part");
    if (left && getComputedStyle(left).visibility === "hidden") {
      this.#tabs.find((tab) => tab.dataset.panel === name).focus();
    }
  }

  #change() {
    keep("layout", this.#layout);
    this.#apply();
  }

  #apply() {
    for (const name of Object.keys(SIDES)) {
      const width = this.#layout.widths[name];
      if (width) this.#main.style.setProperty(`--${name}-width`, `${width}px`);
      else this.#main.style.removeProperty(`--${name}-width`);
      this.#main.classList.toggle(`no-${name}`, this.isHidden(name));
    }
    for (const toggle of this.#toggles) toggle.setAttribute("aria-expanded", String(!this.isHidden(nameOf(toggle))));
    this.dispatchEvent(new Event("changed"));
  }
}

const panel = (name) => byId(`${name}-panel`);

/** The panel that a control is for. */
export const nameOf = (control) => control.getAttribute("aria-controls").replace("-panel", "");
