// The audit log, newest first, and whether it was verified.

import { byId, el, say } from "../dom.js";
import { guarded, number, renewed, start, table, timeText } from "./page.js";
import { listAudit, readVerification, startVerification } from "./requests.js";

const PAGE = 100;
const AGAIN_MS = 2000;
const PART = "audit log";
/** What is shown: the rows of a query, so far, and where they go on. */
let shown = { query: {}, rows: [], after: null };

start(async () => {
  await first();
  byId("filters").hidden = false;
  byId("verification").hidden = false;
  byId("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(first);
  });
  byId("more").addEventListener("click", () => guarded(more));
  byId("verify").addEventListener("click", () => guarded(() => startVerification().then(verdict)));
  await verdict();
});

const COLUMNS = [
  ["Row", ({ seq }) => number(seq), "number"],
  ["Time", ({ at }) => timeText(at), "time"],
  ["Who", ({ actor }) => actor || "nobody known"],
  ["Operation", ({ operation }) => operation],
  ["Answer", ({ status }) => statusOf(status), "number"],
  ["Data of", ({ touched_count }) => number(touched_count), "number"],
  ["Address", ({ address }) => address],
];

async function first() {
  const [operation, day] = [byId("operation").value, byId("day").value];
  shown = { query: { limit: PAGE, ...(operation ? { operation } : {}), ...(day ? { day } : {}) }, rows: [], after: null };
  await more();
}

async function more() {
  const before = shown;
  const { query, after } = before;
  const page = await listAudit({ ...query, ...(after ? { after } : {}) });
  // Other rows were asked for since, or these twice.
  if (shown !== before) return;
  const rows = [...before.rows, ...page.rows];
  shown = { query, rows, after: page.next_after };
  byId("list").replaceChildren(
    rows.length ? table("Accesses", COLUMNS, rows) : el("p", { className: "muted", textContent: "No access is recorded for this." }),
  );
  byId("more").hidden = shown.after === null;
  const known = [...new Set(rows.map((row) => row.operation))].sort();
  byId("operations-known").replaceChildren(...known.map((value) => el("option", { value })));
  say(`${number(rows.length)} rows`);
}

function statusOf(status) {
  return status >= 400 ? el("span", { className: "bad", textContent: String(status) }) : String(status || "–");
}

/** Say what the last verification has found of the log; one that goes on is asked for again. */
async function verdict() {
  const verification = await readVerification();
  const isRunning = ["waiting", "running"].includes(verification?.state);
  byId("verdict").textContent = verdictText(verification);
  byId("verify").disabled = isRunning;
  if (isRunning) setTimeout(() => renewed(verdict), AGAIN_MS);
}

function verdictText(verification) {
  if (!verification) return "The chain of the rows was not verified yet.";
  const { state, ended_at: endedAt, findings, problem, remedy } = verification;
  if (state === "failed") return `The verification could not be ended: ${problem} ${remedy ?? ""}`;
  if (state !== "done") return "All that is stored is being verified…";
  const finding = findings.find(({ part }) => part === PART);
  if (!finding) return `The verification of ${timeText(endedAt)} did not look at the audit log.`;
  return `${timeText(endedAt)}: ${finding.found} ${finding.remedy}`.trim();
}
