// A job as a card: what it does, how far it is, what failed by name, and what can be done about it.

import { el } from "../dom.js";

const SHOWN_FAILURES = 20;

export class JobCard {
  /** `cancel`, `failures`, `retry` and `dismiss` are called by the buttons of these names. */
  constructor({ cancel, failures, retry, dismiss }) {
    this.text = el("p", { className: "job-text" });
    this.bar = el("progress", { max: 1, value: 0, "aria-label": "Files done" });
    this.left = el("span", { className: "job-left muted" });
    this.failures = el("ul", { className: "job-failures" });
    this.more = el("p", { className: "muted" });
    this.buttons = {
      cancel: button("Cancel", cancel),
      failures: button("Which failed?", failures),
      retry: button("Try again", retry),
      dismiss: button("Dismiss", dismiss),
    };
    const buttons = el("span", { className: "job-buttons" }, ...Object.values(this.buttons));
    const foot = el("div", { className: "job-foot" }, this.left, buttons);
    this.element = el("section", { className: "job note" }, this.text, this.bar, this.failures, this.more, foot);
  }

  /** Show a job: `text`, `share` done from 0 to 1, `left`, `failures` and how many there are, `can` what. */
  show({ text, share, left, failures, failed = failures.length, can }) {
    this.text.textContent = text;
    this.bar.value = share;
    this.left.textContent = left;
    this.failures.replaceChildren(...failures.slice(0, SHOWN_FAILURES).map(failure));
    const hidden = failed - Math.min(failures.length, SHOWN_FAILURES);
    this.more.textContent = hidden > 0 ? `and ${hidden} more` : "";
    this.more.hidden = hidden <= 0;
    for (const [name, control] of Object.entries(this.buttons)) control.hidden = !can.includes(name);
  }
}

function failure({ name, reason }) {
  return el("li", {}, el("strong", { textContent: name }), el("span", { textContent: ` ${reason}` }));
}

function button(textContent, onclick = null) {
  return el("button", { type: "button", textContent, onclick, hidden: true });
}
