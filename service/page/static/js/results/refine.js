// The bar that says by what a search was refined, and takes it back; and judgements that are kept.

import { cornersOf, keepFeedback } from "../api.js";
import { byId, plural, say } from "../dom.js";

/** What is kept of a query: the UID of an indexed frame, or the digest of a file. */
export async function namedQuery({ identity, regions }) {
  const { file, frame_number } = identity;
  const which = file ? { file_sha256: await digestOf(file) } : { sop_instance_uid: identity.sop_instance_uid };
  return { ...which, frame_number, ...(regions.length ? { regions: regions.map(({ box }) => cornersOf(box)) } : {}) };
}

/** What is kept of judgements. */
export const namedJudgements = (judged) =>
  judged.map(({ hit, verdict }) => ({
    sop_instance_uid: hit.sop_instance_uid,
    frame_number: hit.frame_number,
    collection: hit.collection,
    ...(hit.box && isInside(hit) ? { box: cornersOf(hit.box) } : {}),
    verdict,
  }));

const isInside = ({ box: { x, y, width, height }, rows, columns }) => x >= 0 && y >= 0 && x + width <= columns && y + height <= rows;

async function digestOf(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Why judgements cannot be kept; "" where they can. */
function whyNot(may, query) {
  if (!may.includes("feedback")) return "This login may not keep judgements: it lacks the scope feedback.";
  // Browsers compute digests on https pages and on this computer alone.
  if (query?.identity.file && !globalThis.crypto?.subtle) return "Of a file, judgements are kept only over https.";
  return "";
}

export function installRefining({ judgements, reading, hits, may, guarded }) {
  // Of what an address says was judged, it has no more than the UID.
  const whole = (hit) => (hit.collection ? hit : (hits.find(hit) ?? hit));
  hits.addEventListener("judge", ({ detail: { hit, verdict } }) => judgements.judge(hit, verdict));
  byId("undo").addEventListener("click", () => judgements.undo());
  byId("unjudge").addEventListener("click", () => judgements.clear());
  byId("keep").addEventListener("click", () =>
    guarded(async () => {
      // Read before anything is waited for: by then they may be those of another query.
      const judged = namedJudgements(judgements.judged.map(({ hit, verdict }) => ({ hit: whole(hit), verdict })));
      const kept = await keepFeedback(await namedQuery(reading.query), judged);
      say(`${plural(kept.kept, "judgement")} kept`);
    }),
  );

  function update() {
    const refined = reading.answer?.refined;
    byId("refined").hidden = !refined && !judgements.canUndo;
    byId("refined-text").textContent = refined
      ? `Refined by ${refined.relevant} relevant and ${refined.not_relevant} not relevant. Distances do not compare with those before.`
      : "Not refined.";
    const why = whyNot(may, reading.query);
    byId("keep").disabled = Boolean(why) || !judgements.judged.length;
    byId("keep").title = why || "Keep these judgements with the name of this login, for evaluation";
    byId("undo").disabled = !judgements.canUndo;
    hits.mark(judgements);
  }
  let query = null;
  judgements.addEventListener("change", update);
  reading.addEventListener("query", () => {
    if (reading.query !== query) judgements.reset(reading.options ?? {});
    query = reading.query;
    update();
  });
  update();
}
