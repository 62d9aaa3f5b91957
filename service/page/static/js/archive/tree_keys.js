// Keys in a tree, as in the tree view of the ARIA Authoring Practices.

const TYPED_TOGETHER_MS = 700;

/**
 * Return what a key does at a row: `to`, the index of another row; `toggle` or `choose`, the row itself; null where it
 * does nothing. `page` is how many rows a page has.
 */
export function pressed(rows, at, key, page = 10) {
  const row = rows[at];
  if (!row) return null;
  const last = rows.length - 1;
  const to = (index) => ({ to: Math.min(last, Math.max(0, index)) });
  switch (key) {
    case "ArrowDown":
      return to(at + 1);
    case "ArrowUp":
      return to(at - 1);
    case "PageDown":
      return to(at + page);
    case "PageUp":
      return to(at - page);
    case "Home":
      return to(0);
    case "End":
      return to(last);
    case "ArrowRight":
      if (row.isOpen === false) return { toggle: row };
      return row.isOpen ? to(at + 1) : null;
    case "ArrowLeft":
      if (row.isOpen) return { toggle: row };
      return row.level > 1 ? to(parentOf(rows, at)) : null;
    case "Enter":
    case " ":
      return row.isOpen === undefined ? { choose: row } : { toggle: row };
    default:
      return null;
  }
}

function parentOf(rows, at) {
  let parent = at;
  while (rows[parent].level >= rows[at].level) parent -= 1;
  return parent;
}

/** Letters that are typed quickly after one another name a row. */
export class TypeAhead {
  #text = "";
  #at = -Infinity;

  /** Return the index of the next row whose name begins with what was typed so far; -1 where there is none. */
  next(rows, at, letter, nameOf, now = performance.now()) {
    const goesOn = now - this.#at < TYPED_TOGETHER_MS;
    this.#text = (goesOn ? this.#text : "") + letter.toLowerCase();
    this.#at = now;
    const from = this.#text.length > 1 ? at : at + 1;
    for (let step = 0; step < rows.length; step += 1) {
      const index = (from + step) % rows.length;
      if (nameOf(rows[index]).toLowerCase().startsWith(this.#text)) return index;
    }
    return -1;
  }
}
