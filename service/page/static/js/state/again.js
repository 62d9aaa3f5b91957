// What failed because the server did not answer, or nobody was logged in: done again once that has passed.

export class Again {
  #actions = new Map();

  constructor({ viewer, reading }, run) {
    Object.assign(this, { viewer, run });
    reading.addEventListener("failed", ({ detail: { problem, action } }) => this.#note("action", problem, action));
    viewer.addEventListener("problem", ({ detail: problem }) => {
      const { stack, shown } = viewer;
      this.#note("picture", problem, () => viewer.open(stack, shown.item, { found: viewer.found }));
    });
  }

  /** Where the reader is elsewhere by then, it is not done in place of what is looked at. */
  #note(what, problem, action) {
    const item = this.viewer.shown?.item;
    if (problem.isPassing) this.#actions.set(what, () => this.viewer.shown?.item === item && action());
  }

  async now() {
    const actions = [...this.#actions.values()];
    this.#actions.clear();
    // Images that could not be loaded ahead are loaded ahead again.
    for (const item of this.viewer.stack?.items ?? []) item.failed = false;
    for (const action of actions) await this.run(action);
  }
}
