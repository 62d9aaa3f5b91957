// Helpers for the document: find by id, build elements, show messages.

export const byId = (id) => document.getElementById(id);

/** Build an element; names in `props` that are properties are set as such, others as attributes. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Build an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Write a text into an element: nothing is laid out anew where it stands there already. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function say(text) {
  byId("status").textContent = text;
}

/** Show an error in words: what happened, and what can be done. */
export function showProblem(error) {
  const box = byId("problem");
  box.replaceChildren(
    el("h3", { textContent: error.title ?? "Something went wrong" }),
    el("p", { textContent: error.detail ?? error.message }),
    el("p", { className: "muted", textContent: error.remedy ?? "" }),
  );
  box.hidden = false;
  say("");
}

export function clearProblem() {
  byId("problem").hidden = true;
}

export const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
