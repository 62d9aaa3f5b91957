// The models of the archive, and the card of one.

import { readIdentity } from "../archive/requests.js";
import { isAllowed } from "../archive/rights.js";
import { byId, el } from "../dom.js";
import { elementsOf } from "./markdown.js";
import { guarded, number, start, table } from "./page.js";
import { listModels, readCard } from "./requests.js";

const ROLES = { used: "used by searches", next: "being indexed under", kept: "kept" };

start(async () => {
  const { fingerprint, name } = byId("list").dataset;
  const identity = await readIdentity();
  const seesAll = isAllowed(identity, ["admin"]) && identity.collections === null;
  byId("list").replaceChildren(
    seesAll ? table("Models", COLUMNS, await listModels()) : el("p", { textContent: `Searches use ${name}.` }),
  );
  await showCard(fingerprint);
});

const COLUMNS = [
  ["Model", ({ name, fingerprint }) => name || fingerprint.slice(0, 8)],
  ["Role", ({ role }) => ROLES[role]],
  ["Fingerprint", ({ fingerprint }) => el("code", { textContent: fingerprint })],
  ["Frames", ({ frames }) => number(frames), "number"],
  ["Missing", ({ missing_frames }) => number(missing_frames), "number"],
  ["Card", (model) => (model.installed ? cardButton(model) : "not installed here")],
];

function cardButton({ name, fingerprint }) {
  const read = () =>
    guarded(async () => {
      await showCard(fingerprint);
      byId("card").focus();
    });
  return el("button", { type: "button", textContent: "Read", "aria-label": `Read the card of ${name}`, onclick: read });
}

async function showCard(fingerprint) {
  byId("card").replaceChildren(...elementsOf(await readCard(fingerprint)));
}
