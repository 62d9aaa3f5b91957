// The list of hits: cards, whose they are, how far they may be, and how they are gone through by keys.

import { byId, plural } from "../dom.js";
import { Card } from "./card.js";
import { titleOf } from "./facts.js";
import { isSameFrame, keyOf } from "./identity.js";
import { listenToKeys } from "./keys.js";
import { QueryPicture } from "./query_picture.js";
import { Sight } from "./sight.js";

/**
 * Events of what a reader does with a hit, with a detail: `judge` ({hit, verdict}), `like` ({hit}), `scroll` ({hit,
 * share}); and `changed`, when other hits are shown.
 */
export class Hits extends EventTarget {
  #cards = [];
  #query = null;
  #picture = null;
  #window = null;
  #notes = new Map();
  #farthest = null;
  #sight = new Sight();

  constructor(open) {
    super();
    this.open = open;
    listenToKeys(byId("hits"), this);
  }

  /** The hits of which cards are shown: none farther than what was set. */
  get shown() {
    return this.#visible.map(({ hit }) => hit);
  }

  get cards() {
    return this.#visible;
  }

  /** The picture of the query, as it is on the cards; null before a search. */
  get picture() {
    return this.#picture;
  }

  /** The display window that query and hits are drawn through, null for their own. */
  get displayWindow() {
    return this.#window;
  }

  /** Show what was found for a query: a picture as it was on the screen, and its regions then. */
  show(answer, query, displayWindow) {
    const focused = this.#focused();
    if (query !== this.#query) this.#picture = new QueryPicture(query);
    this.#query = query;
    this.#farthest = null;
    this.#empty();
    byId("hits-scroll").scrollTop = 0;
    this.#add(answer.hits);
    const searched = plural(answer.searched_frames, "frame");
    const left = answer.unindexed_frames ? `, ${answer.unindexed_frames} not indexed under this model` : "";
    byId("hits-summary").textContent = `${searched} in ${Math.round(answer.took_ms)} ms, ${answer.mode}${left}`;
    this.setWindow(displayWindow);
    this.compareWith(query);
    this.#focusAgain(focused);
    this.dispatchEvent(new Event("changed"));
  }

  /** Add hits that follow those shown. */
  extend(hits) {
    this.#add(hits);
    this.setWindow(this.#window);
    this.setFarthest(this.#farthest);
  }

  /** Say whose hits these are, and whether that image is the one on the screen. */
  compareWith(shown) {
    if (!this.#query) return;
    const isOwn = shown?.item === this.#query.item;
    byId("hits-query").textContent = isOwn ? titleOf(this.#query) : `${titleOf(this.#query)}, not for the one on the screen`;
    byId("hits-query").classList.toggle("stale", !isOwn);
  }

  /** Draw query and hits through the viewer's display window where their values are HU, so that they can be compared by eye. */
  setWindow(displayWindow) {
    this.#window = displayWindow;
    for (const card of this.#cards) card.setWindow(displayWindow);
    // Cards come first, pictures when the screen has them.
    const [cards, picture] = [this.#cards, this.#picture];
    requestAnimationFrame(() => {
      if (!cards.length || picture !== this.#picture) return;
      picture.setWindow(displayWindow);
      for (const card of cards) card.paint(picture);
    });
  }

  /** Hide hits that are farther than a distance; null shows all. Returns how many are hidden. */
  setFarthest(distance) {
    this.#farthest = distance;
    for (const { hit, element } of this.#cards) element.hidden = distance !== null && hit.distance > distance;
    this.dispatchEvent(new Event("changed"));
    return this.#cards.length - this.#visible.length;
  }

  /** Mark cards with what was said of their hits. */
  mark(judgements) {
    for (const card of this.#cards) card.setVerdict(judgements.verdictOf(card.hit));
  }

  /** Say what labels mean: notes of the site by label. */
  explain(notes) {
    this.#notes = notes;
    for (const card of this.#cards) card.explain(notes.get(card.hit.label));
  }

  get #visible() {
    return this.#cards.filter(({ element }) => !element.hidden);
  }

  #add(hits) {
    const tell = (name) => (hit, more) => this.dispatchEvent(new CustomEvent(name, { detail: { hit, ...more } }));
    const acts = {
      choose: (card) => this.#choose(card),
      judge: (hit, verdict) => tell("judge")(hit, { verdict }),
      like: tell("like"),
      scroll: (hit, share) => tell("scroll")(hit, { share }),
    };
    const cards = hits.map((hit) => new Card(hit, this.#query, acts));
    for (const card of cards) card.explain(this.#notes.get(card.hit.label));
    byId("hits").append(...cards.map(({ element }) => element));
    for (const card of cards) this.#sight.follow(card);
    this.#cards = [...this.#cards, ...cards];
  }

  #empty() {
    this.#sight.end();
    this.#cards = [];
    byId("hits").replaceChildren();
  }

  /** The hit that is a frame, if it is among these; of the first collection where none is named. */
  find(frame) {
    return this.#cards.find(({ hit }) => isSameFrame(hit, frame))?.hit;
  }

  /** Mark the card of a hit as the one that is open. */
  markOpen(chosen) {
    for (const { hit, button } of this.#cards) button.setAttribute("aria-current", String(hit === chosen));
  }

  /** Take the hits away. */
  clear() {
    this.#query = this.#picture = null;
    this.#empty();
    for (const id of ["hits-summary", "hits-query"]) byId(id).textContent = "";
    this.dispatchEvent(new Event("changed"));
  }

  #choose({ hit }) {
    this.markOpen(hit);
    this.open(hit);
  }

  #focused() {
    const card = this.#cards.find(({ element }) => element.contains(document.activeElement));
    return card && { key: keyOf(card.hit), name: document.activeElement.className };
  }

  /** Who judged a card by keys goes on from the same card, wherever it stands now. */
  #focusAgain(focused) {
    if (!focused) return;
    const card = this.#cards.find(({ hit }) => keyOf(hit) === focused.key) ?? this.#cards[0];
    const control = [...(card?.element.querySelectorAll("button") ?? [])].find(({ className }) => className === focused.name);
    (control ?? card?.button)?.focus();
  }
}
