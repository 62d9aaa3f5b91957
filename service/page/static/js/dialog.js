// Questions to the user, each in a dialog of its own.

import { el } from "./dom.js";

/**
 * Ask in a dialog; resolves with the form's values by name, or null where it was cancelled.
 *
 * `content` is what it says and asks for. The button named `action` can be pressed while `isReady(values)`.
 */
export function ask({ title, content, action, isReady = () => true, isDangerous = false }) {
  const heading = el("h2", { textContent: title, id: "dialog-title" });
  const cancel = el("button", { type: "button", textContent: "Cancel" });
  const confirm = el("button", { type: "submit", className: isDangerous ? "danger" : "primary", textContent: action });
  const form = el("form", { className: "question" }, heading, ...content, el("div", { className: "dialog-buttons" }, cancel, confirm));
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, form);
  const values = () => Object.fromEntries(new FormData(form));
  const check = () => {
    confirm.disabled = !isReady(values());
  };
  return new Promise((resolve) => {
    let answer = null;
    form.addEventListener("input", check);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer = values();
      dialog.close();
    });
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    check();
    dialog.showModal();
  });
}

/** A field of a dialog with its label. */
export function field(label, name, props = {}) {
  return el("label", { className: "field" }, label, el("input", { name, type: "text", autocomplete: "off", ...props }));
}

/** A paragraph of a dialog. */
export const line = (textContent) => el("p", { textContent });
