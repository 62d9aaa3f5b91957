// Which cards are near the screen. Only these hold pictures: however many hits there are, memory stays the same.

/** How far beyond what is seen cards have pictures already: as much again on each side. */
const AROUND = "100%";

/** Calls `come()` of a card that is near, again when its size has changed, and `go()` when it no longer is. */
export class Sight {
  #cards = new Map(); // by element
  #near = new IntersectionObserver((entries) => entries.forEach((entry) => this.#moved(entry)), {
    rootMargin: AROUND,
    scrollMargin: AROUND,
  });
  #sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => this.#cards.get(target)?.come()));

  follow(card) {
    this.#cards.set(card.element, card);
    this.#near.observe(card.element);
  }

  /** Follow no card any more. */
  end() {
    this.#near.disconnect();
    this.#sizes.disconnect();
    this.#cards.clear();
  }

  #moved({ target, isIntersecting }) {
    const card = this.#cards.get(target);
    if (isIntersecting) this.#sizes.observe(target);
    else this.#sizes.unobserve(target);
    if (isIntersecting) card?.come();
    else card?.go();
  }
}
