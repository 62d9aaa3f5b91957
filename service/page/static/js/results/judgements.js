// What a reader says of hits: relevant or not. It refines the search at once, and can be taken back step by step.

/** Which image is meant: judgements are of images, and the same one may be in several collections. */
const keyOf = ({ sop_instance_uid, frame_number }) => `${sop_instance_uid}/${frame_number}`;

/** Event: `change`. */
export class Judgements extends EventTarget {
  #steps = []; // one after another: {hit, verdict}, where a verdict of null takes back

  /** Judge a hit "relevant" or "not_relevant"; the same verdict again takes it back. */
  judge(hit, verdict) {
    this.#become([...this.#steps, { hit, verdict: this.verdictOf(hit) === verdict ? null : verdict }]);
  }

  undo() {
    this.#become(this.#steps.slice(0, -1));
  }

  /** Begin anew with another query: nothing was judged of it, but for what its options say. */
  reset(options = {}) {
    const judged = (verdict) => (options[verdict] ?? []).map((hit) => ({ hit, verdict }));
    this.#steps = [...judged("relevant"), ...judged("not_relevant")];
  }

  clear() {
    this.#become([]);
  }

  verdictOf(hit) {
    return this.#steps.findLast((step) => keyOf(step.hit) === keyOf(hit))?.verdict ?? null;
  }

  /** What is judged now: [{hit, verdict}], in the order in which it was first judged. */
  get judged() {
    const last = new Map(this.#steps.map((step) => [keyOf(step.hit), step]));
    return [...last.values()].filter(({ verdict }) => verdict);
  }

  get canUndo() {
    return this.#steps.length > 0;
  }

  /** The fields of the API that refine a search by what was judged. */
  get options() {
    const named = (verdict) =>
      this.judged
        .filter((one) => one.verdict === verdict)
        .map(({ hit: { sop_instance_uid, frame_number } }) => ({ sop_instance_uid, frame_number }));
    const lists = ["relevant", "not_relevant"].map((verdict) => [verdict, named(verdict)]);
    return Object.fromEntries(lists.filter(([, frames]) => frames.length));
  }

  #become(steps) {
    this.#steps = steps;
    this.dispatchEvent(new Event("change"));
  }
}
