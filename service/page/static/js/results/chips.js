// Filters as chips: those that are set can be removed, those that can be set say how many hits and series they would leave.

import { listCollections } from "../api.js";
import { byId, el, plural } from "../dom.js";
import { counted, FACETS, facetOf, toggled } from "./facets.js";
import { keyOf } from "./identity.js";

/** What series of the archive are listed with. */
const OF_SERIES = new Set(["modality", "body_part", "collection"]);

export class Chips {
  #seen = new Map(); // hits of the query so far: what a filter has left out can still be chosen
  #query = null;
  #labels = [];
  #areLabelsAsked = false;

  constructor({ asking, hits, archive, reading, guarded }) {
    Object.assign(this, { asking, hits, archive });
    for (const event of ["change", "taken"]) asking.addEventListener(event, () => this.draw());
    reading.addEventListener("query", () => this.#see(reading));
    hits.addEventListener("changed", () => this.#drawOffers());
    byId("filters").addEventListener("toggle", () => {
      this.#drawOffers();
      if (!this.#areLabelsAsked) guarded(() => this.#askLabels());
    });
  }

  draw() {
    const { chosen } = this.asking.state;
    const chips = Object.entries(chosen).flatMap(([name, keys]) => keys.map((key) => this.#chip(name, key)));
    byId("filter-chips").replaceChildren(...chips);
    byId("filter-chips").hidden = !chips.length;
    this.#drawOffers();
  }

  toggle(name, key) {
    this.asking.change({ chosen: toggled(this.asking.state.chosen, name, key) });
  }

  #see({ query, answer }) {
    if (query !== this.#query) this.#seen.clear();
    this.#query = query;
    for (const hit of answer?.hits ?? []) this.#seen.set(keyOf(hit), hit);
    this.#drawOffers();
  }

  #chip(name, key) {
    const { title, textOf } = facetOf(name);
    return el("button", {
      type: "button",
      className: "chip",
      textContent: `${title}: ${textOf(key)} ×`,
      "aria-label": `Remove the filter ${title}: ${textOf(key)}`,
      onclick: () => this.toggle(name, key),
    });
  }

  /** All frames are gone through for it: only once, for who wants to filter. */
  async #askLabels() {
    this.#areLabelsAsked = true;
    const labels = (await listCollections()).flatMap((collection) => Object.entries(collection.labels));
    this.#labels = labels.map(([label, frames]) => ({ label, frames }));
    this.#drawOffers();
  }

  #drawOffers() {
    if (!byId("filters").open) return;
    const focused = document.activeElement?.dataset?.chip;
    const groups = FACETS.map((facet) => [facet, this.#offers(facet)]).filter(([, offers]) => offers.length);
    byId("offers").replaceChildren(...groups.map(([facet, offers]) => group(facet, offers)));
    if (focused) [...byId("offers").querySelectorAll("button")].find(({ dataset }) => dataset.chip === focused)?.focus();
  }

  /** The values of a facet that hits have, or series of the archive, with both counts. */
  #offers(facet) {
    const shown = this.hits.shown;
    const here = new Map(counted(facet, shown));
    const there = this.#inArchive(facet);
    const chosen = this.asking.state.chosen[facet.name] ?? [];
    const seen = counted(facet, [...this.#seen.values()]).map(([key]) => key);
    const keys = [...new Set([...here.keys(), ...there.keys(), ...seen, ...chosen])];
    return keys.map((key) => {
      const counts = [`${here.get(key) ?? 0} of ${plural(shown.length, "hit")}`, there.get(key)].filter(Boolean);
      return this.#offer(facet, key, here.get(key) ?? 0, counts.join("; "));
    });
  }

  #inArchive(facet) {
    if (facet.name === "label") return new Map(this.#labels.map(({ label, frames }) => [label, `${plural(frames, "frame")} of the archive`]));
    if (!OF_SERIES.has(facet.name)) return new Map();
    return new Map(counted(facet, this.archive.series).map(([key, count]) => [key, `${count} series of the archive`]));
  }

  #offer(facet, key, count, title) {
    const isOn = (this.asking.state.chosen[facet.name] ?? []).includes(key);
    const name = facet.textOf(key);
    return el(
      "button",
      {
        type: "button",
        className: "chip",
        title,
        "data-chip": `${facet.name}=${key}`,
        "aria-pressed": String(isOn),
        "aria-label": `${facet.title} ${name}: ${title}`,
        onclick: () => this.toggle(facet.name, key),
      },
      name,
      el("small", { textContent: ` ${count}` }),
    );
  }
}

function group(facet, offers) {
  return el(
    "div",
    { className: "facet", role: "group", "aria-label": facet.title },
    el("span", { className: "facet-title", textContent: facet.title }),
    el("span", { className: "chips" }, ...offers),
  );
}
