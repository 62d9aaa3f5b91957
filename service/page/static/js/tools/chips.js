// The regions and measurements of the image on the screen as buttons that remove them, one by one.

import { byId, el } from "../dom.js";
import { describeRegion } from "../viewing/labels.js";
import { linesOf } from "./measurements.js";

export class Chips {
  #shown = [];

  constructor(viewer, measurements) {
    Object.assign(this, { viewer, measurements });
  }

  update() {
    const { shown, regions } = this.viewer;
    const item = shown?.frame ? shown.item : null;
    const measured = item ? this.measurements.of(item) : [];
    const marks = measured.length || (item && regions.length) ? [item, ...regions, ...measured] : [];
    if (marks.length === this.#shown.length && marks.every((mark, i) => mark === this.#shown[i])) return;
    const hadFocus = byId("chips").contains(document.activeElement);
    this.#shown = marks;
    byId("chips").replaceChildren(
      ...(item ? [...regions.map((region) => this.#region(region)), ...measured.map((one) => this.#measurement(one, shown))] : []),
    );
    if (hadFocus) (byId("chips").querySelector("button") ?? this.viewer.canvas).focus();
  }

  #region(region) {
    const { regions, shown } = this.viewer;
    const name = `Region ${regions.indexOf(region) + 1}`;
    return chip(name, describeRegion(region, shown.frame.spacing), () => this.viewer.setRegions(without(this.viewer.regions, region)));
  }

  #measurement(one, { item, frame }) {
    const remove = () => this.measurements.set(item, without(this.measurements.of(item), one));
    const name = one.kind === "length" ? "Length" : "Area";
    return chip(name, linesOf(one, frame).join(", "), remove);
  }
}

const without = (all, one) => all.filter((other) => other !== one);

function chip(name, what, remove) {
  const label = `Remove ${name.toLowerCase()}: ${what}`;
  return el("li", {}, el("button", { type: "button", className: "chip", title: label, "aria-label": label, onclick: remove, textContent: `${name} ✕` }));
}
