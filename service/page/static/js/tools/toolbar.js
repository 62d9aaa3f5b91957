// The toolbar: a button for each tool and each command. Tab reaches it once; arrow keys go from button to button.

import { byId, el } from "../dom.js";
import { icon } from "./icons.js";

export class Toolbar {
  #tools;
  #commands;

  constructor(toolbox, commands) {
    this.#tools = toolbox.tools.map((tool) => [tool, button(tool, tool.hint, [tool.key], () => toolbox.use(tool))]);
    this.#commands = commands.filter(({ isKeyOnly }) => !isKeyOnly).map((command) => [command, button(command, command.label, command.keys, command.run)]);
    this.toolbox = toolbox;
    this.bar = byId("tools");
    const before = this.bar.querySelector(".cine-rate");
    for (const [, one] of this.#tools) before.before(one);
    before.before(el("span", { className: "gap", role: "separator" }));
    for (const [, one] of this.#commands) before.before(one);
    this.bar.addEventListener("keydown", (event) => this.#move(event));
    // A mouse goes on with the image, and so do the keys.
    this.bar.addEventListener("click", ({ detail, target }) => detail && target.closest("button") && toolbox.viewer.canvas.focus());
    this.bar.addEventListener("focusin", ({ target }) => this.#mark(target));
    this.#mark(this.#buttons[0]);
    this.update();
  }

  update() {
    for (const [tool, one] of this.#tools) set(one, "aria-pressed", tool === this.toolbox.active);
    for (const [{ isOn, isAble }, one] of this.#commands) {
      if (isOn) set(one, "aria-pressed", isOn());
      // Not `disabled`: the focus would be lost where the last change has been undone.
      set(one, "aria-disabled", isAble ? !isAble() : false);
    }
  }

  get #buttons() {
    return [...this.bar.querySelectorAll("button")];
  }

  #mark(target) {
    if (!this.#buttons.includes(target)) return;
    for (const one of this.#buttons) one.tabIndex = one === target ? 0 : -1;
  }

  #move(event) {
    const buttons = this.#buttons;
    const at = buttons.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    buttons.at(to % buttons.length).focus();
  }
}

/** Set an attribute where it changes: the toolbar is looked at with every image. */
function set(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

function button({ name, label }, hint, keys, run) {
  const one = el("button", {
    type: "button",
    className: "tool",
    title: `${hint} (${keyText(keys[0])})`,
    "aria-label": label,
    "aria-keyshortcuts": keys.map(shortcut).join(" "),
    "data-tool": name,
    onclick: () => one.getAttribute("aria-disabled") !== "true" && run(),
  });
  one.append(icon(name));
  return one;
}

const NAMES = { " ": "Space", "+": "+" };

/** A key as it is printed on a keyboard. */
export const keyText = (key) => NAMES[key] ?? key.split("+").map((part) => (part.length === 1 ? part.toUpperCase() : part)).join(" ");

/** A key as assistive technology is told of it. */
const shortcut = (key) => ({ " ": "Space", "+": "Plus" })[key] ?? key.replace("Ctrl", "Control");
