// Keys on the cards of hits: to go through them, to judge, to look, to search on.

const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** Listen to keys on a list; `hits.cards` are those that can be seen in it. */
export function listenToKeys(list, hits) {
  list.addEventListener("keydown", (event) => {
    const card = hits.cards.find(({ element }) => element.contains(event.target));
    const act = card && isPlain(event) && actOf(event.key, card, hits.cards);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** A slider has keys of its own, and so has the browser. */
const isPlain = ({ ctrlKey, metaKey, altKey, target }) => !ctrlKey && !metaKey && !altKey && target.type !== "range";

function actOf(key, card, cards) {
  const step = STEPS[key];
  if (step) return () => cardAt(cards, cards.indexOf(card) + step).button.focus();
  const acts = {
    r: () => card.judging.relevant.click(),
    n: () => card.judging.not_relevant.click(),
    w: () => card.toggleWhole(),
    m: () => card.acts.like(card.hit),
  };
  return acts[key.toLowerCase()];
}

const cardAt = (cards, index) => cards[Math.min(cards.length - 1, Math.max(0, index))];
