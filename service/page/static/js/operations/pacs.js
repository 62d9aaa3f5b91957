// The PACS of the site: how far each is followed, and what of it is pulled.

import { readIdentity } from "../archive/requests.js";
import { isAllowed } from "../archive/rights.js";
import { byId, el } from "../dom.js";
import { number, renewed, start, table, timeText } from "./page.js";
import { installPull } from "./pull.js";
import { listPacs } from "./requests.js";

const AGAIN_MS = 5000;

start(async () => {
  const identity = await readIdentity();
  const may = (scope) => isAllowed(identity, [scope]) && identity.collections === null;
  // Who may index and no more knows the name of the PACS from elsewhere.
  const isTold = may("admin") || !may("index");
  const known = isTold ? await list() : [];
  if (may("index") && (known.length || !isTold)) installPull(known);
});

async function list() {
  const pacs = await show();
  setInterval(() => document.hidden || renewed(show), AGAIN_MS);
  return pacs.map(({ name }) => name);
}

async function show() {
  const pacs = await listPacs();
  byId("list").replaceChildren(
    pacs.length ? table("PACS of the site", COLUMNS, pacs) : el("p", { className: "muted", textContent: "The server knows no PACS (pacs.toml)." }),
  );
  return pacs;
}

const COLUMNS = [
  ["Name", ({ name }) => name],
  ["State", ({ followed }) => stateOf(followed)],
  ["Collection", ({ followed }) => followed?.collection],
  ["Behind", ({ followed }) => followed && number(followed.behind), "number"],
  ["Lag", ({ followed }) => followed && lagText(followed.lag_s), "number"],
  ["Last look", ({ followed }) => followed && timeText(followed.looked_at)],
  ["Arrived", ({ followed }) => followed && number(followed.arrived), "number"],
  ["Deleted", ({ followed }) => followed && number(followed.deleted), "number"],
  ["Last sweep", ({ followed }) => followed && timeText(followed.swept_at)],
  ["Only there / only here", ({ followed }) => followed && `${number(followed.only_there)} / ${number(followed.only_here)}`, "number"],
  ["Trouble", ({ followed }) => followed && troubleOf(followed)],
];

function stateOf(followed) {
  if (!followed) return "not followed";
  if (followed.failing_since) return el("span", { className: "bad", textContent: "failing" });
  return followed.watched ? "watched" : el("span", { className: "bad", textContent: "no worker watches it" });
}

const lagText = (seconds) => (seconds === null ? null : `${number(Math.round(seconds))} s`);

function troubleOf({ failing_since, failures, reason, stopped }) {
  const told = failing_since ? [`Since ${timeText(failing_since)}, ${failures} times: ${reason}`] : [];
  return [...told, stopped].filter(Boolean).join(" ") || "none";
}
