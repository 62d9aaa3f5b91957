// A tree of any number of rows, of which the document holds those that are in view.

import { el } from "../dom.js";
import { pressed, TypeAhead } from "./tree_keys.js";

const BEYOND_PX = 240;
/** After this long without scrolling, the rows in view are filled: their pictures are asked for. */
const SETTLE_MS = 120;

/** Keys that are not for the tree. */
const OTHERS = new Set(["Tab", "Shift", "Escape"]);

/** Events: `choose` and `toggle` (their detail is a row), `active` (another row has the focus, or none). */
export class Tree extends EventTarget {
  #rows = [];
  #tops = [0];
  #places = new Map();
  #elements = new Map();
  #active = null;
  #current = null;
  #typed = new TypeAhead();
  #isDue = false;
  #settling = 0;

  /**
   * `element` scrolls and has the focus. `heightOf(row)` in px, `textOf(row)` is all that it says, beginning with its
   * name, `draw(row)` returns what it shows, `fill(element, row)` is called once it has stayed in view.
   */
  constructor(element, { heightOf, textOf, draw, fill }) {
    super();
    Object.assign(this, { element, heightOf, textOf, draw, fill });
    this.space = el("div", { className: "tree-space", role: "none" });
    element.append(this.space);
    element.addEventListener("scroll", () => this.#drawSoon());
    element.addEventListener("keydown", (event) => this.#press(event));
    element.addEventListener("focus", () => this.#enter());
    this.space.addEventListener("click", (event) => this.#click(event.target.closest("[role=treeitem]")));
    new ResizeObserver(() => this.#drawSoon()).observe(element);
  }

  /** The row that keys and actions are for; null where none is. */
  get active() {
    return this.#rows[this.#indexOf(this.#active)] ?? null;
  }

  /** Show other rows; the active one stays so if it is among them. */
  show(rows) {
    this.#rows = rows;
    this.#tops = [0];
    for (const row of rows) this.#tops.push(this.#tops.at(-1) + this.heightOf(row));
    this.#places = new Map(rows.map(({ key }, index) => [key, index]));
    this.space.style.height = `${this.#tops.at(-1)}px`;
    for (const [key, shown] of this.#elements) this.#keep(key, shown);
    if (!this.active) this.#active = null;
    this.#draw();
    this.#tellActive();
  }

  /** Mark the row that is open elsewhere, and scroll to it. */
  mark(key) {
    this.#current = key;
    for (const [name, { item }] of this.#elements) item.setAttribute("aria-current", String(name === key));
    const index = this.#indexOf(key);
    if (index >= 0) this.#reveal(index);
  }

  /** Keep the element of a row that shows the same as before, at its new place. */
  #keep(key, shown) {
    const index = this.#indexOf(key);
    const row = this.#rows[index];
    if (row && this.textOf(row) === this.textOf(shown.row)) {
      shown.row = row;
      this.#dress(shown.item, row, index);
    } else {
      shown.item.remove();
      this.#elements.delete(key);
    }
  }

  #tellActive() {
    const id = this.#elements.get(this.#active)?.item.id;
    if (id) this.element.setAttribute("aria-activedescendant", id);
    else this.element.removeAttribute("aria-activedescendant");
    this.dispatchEvent(new Event("active"));
  }

  #indexOf(key) {
    return this.#places.get(key) ?? -1;
  }

  /** Begin at the row that is open; a click begins where it is, and nothing may move below it. */
  #enter() {
    if (!this.active && this.element.matches(":focus-visible")) this.#begin();
  }

  #begin() {
    this.#activate(Math.max(0, this.#indexOf(this.#current)));
  }

  #click(item) {
    const row = item && this.#rows[this.#indexOf(item.dataset.key)];
    if (!row) return;
    this.#activate(this.#indexOf(row.key));
    this.#tell(row.isOpen === undefined ? "choose" : "toggle", row);
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || OTHERS.has(event.key)) return;
    if (!this.active) this.#begin();
    const at = this.#indexOf(this.#active);
    const page = Math.floor(this.element.clientHeight / this.heightOf(this.#rows[Math.max(0, at)] ?? {})) || 1;
    const done = pressed(this.#rows, at, event.key, page) ?? this.#type(event.key, at);
    if (!done) return;
    event.preventDefault();
    if (done.to !== undefined) this.#activate(done.to);
    if (done.toggle) this.#tell("toggle", done.toggle);
    if (done.choose) this.#tell("choose", done.choose);
  }

  #type(key, at) {
    if (key.length !== 1 || key === " ") return null;
    const to = this.#typed.next(this.#rows, at, key, this.textOf);
    return to >= 0 ? { to } : null;
  }

  #tell(name, row) {
    this.dispatchEvent(new CustomEvent(name, { detail: row }));
  }

  #activate(index) {
    const row = this.#rows[index];
    if (!row) return;
    this.#elements.get(this.#active)?.item.setAttribute("aria-selected", "false");
    this.#active = row.key;
    this.#reveal(index);
    this.#elements.get(row.key).item.setAttribute("aria-selected", "true");
    this.#tellActive();
  }

  #reveal(index) {
    const [top, bottom] = [this.#tops[index], this.#tops[index + 1]];
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.element.scrollTop = bottom - clientHeight;
    this.#draw();
  }

  #drawSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** Put the rows in view into the document, in their order, and take the others out; the active one stays. */
  #draw() {
    this.#isDue = false;
    const { scrollTop, clientHeight } = this.element;
    const first = this.#at(scrollTop - BEYOND_PX);
    const last = this.#at(scrollTop + clientHeight + BEYOND_PX);
    const active = this.#indexOf(this.#active);
    const wanted = Array.from({ length: Math.min(this.#rows.length, last - first + 1) }, (_, place) => first + place);
    if (active >= 0 && active < first) wanted.unshift(active);
    else if (active > last) wanted.push(active);
    this.#putInOrder(wanted.map((index) => this.#placed(index)));
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#fill(), SETTLE_MS);
  }

  #putInOrder(wanted) {
    const kept = new Set(wanted);
    for (const [key, { item }] of this.#elements) {
      if (kept.has(item)) continue;
      item.remove();
      this.#elements.delete(key);
    }
    wanted.forEach((item, place) => {
      if (this.space.children[place] !== item) this.space.insertBefore(item, this.space.children[place] ?? null);
    });
  }

  /** The index of the row at a height. */
  #at(height) {
    let [low, high] = [0, Math.max(0, this.#rows.length - 1)];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#tops[middle] <= height) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The element of a row, made where there is none. */
  #placed(index) {
    const row = this.#rows[index];
    const known = this.#elements.get(row.key);
    if (known) return known.item;
    const item = el("div", { role: "treeitem", className: `row ${row.kind}` }, ...this.draw(row));
    this.#dress(item, row, index);
    this.#elements.set(row.key, { item, row });
    return item;
  }

  /** Tell what a row is, and put it at its place. */
  #dress(item, row, index) {
    item.id = `row-${index}`;
    item.dataset.key = row.key;
    const told = { level: row.level, setsize: row.count, posinset: row.position, expanded: row.isOpen };
    const state = { selected: row.key === this.#active, current: row.key === this.#current };
    for (const [name, value] of Object.entries({ ...told, ...state })) {
      if (value !== undefined) item.setAttribute(`aria-${name}`, String(value));
    }
    item.style.top = `${this.#tops[index]}px`;
    item.style.height = `${this.heightOf(row)}px`;
  }

  #fill() {
    for (const { item, row } of this.#elements.values()) this.fill(item, row);
  }
}
