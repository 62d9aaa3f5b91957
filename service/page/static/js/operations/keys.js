// API keys: listed, made, revoked.

import { ask, field, line } from "../dialog.js";
import { byId, el, say } from "../dom.js";
import { guarded, start, table, timeText } from "./page.js";
import { listKeys, makeKey, revokeKey } from "./requests.js";

const SCOPES = ["search", "names", "files", "index", "export", "label", "feedback", "delete", "metrics", "admin"];
const EVERYDAY = ["search", "index"];

start(async () => {
  show(await listKeys());
  byId("make").hidden = false;
  byId("make").addEventListener("click", () => guarded(make));
});

const COLUMNS = [
  ["Name", ({ name }) => name],
  ["May", ({ scopes }) => scopes.join(", ")],
  ["Collections", ({ collections }) => collections?.join(", ") ?? "all"],
  ["Ends", ({ expires_at }) => endOf(expires_at)],
  ["Last used", ({ last_used_at }) => timeText(last_used_at)],
  ["Action", (key) => revokeButton(key)],
];

function show(keys) {
  const none = el("p", { className: "muted", textContent: "There are no keys." });
  byId("list").replaceChildren(keys.length ? table("API keys", COLUMNS, keys) : none);
}

function endOf(expiresAt) {
  const isOver = expiresAt && new Date(expiresAt) <= new Date();
  return isOver ? el("span", { className: "bad", textContent: `expired ${timeText(expiresAt)}` }) : timeText(expiresAt);
}

async function make() {
  const content = [
    field("Name", "name", { required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}", title: "Letters, digits, . _ -" }),
    el("fieldset", { className: "choices" }, el("legend", { textContent: "What it may do" }), ...SCOPES.map(choice)),
    field("Collections, separated by spaces; all where empty", "collections"),
    field("Days until it ends; never where empty", "days", { type: "number", min: 1, max: 3650 }),
  ];
  const isReady = (values) => SCOPES.some((scope) => values[`scope ${scope}`]);
  const answer = await ask({ title: "Make a key", content, action: "Make", isReady });
  if (!answer) return;
  showMade(await makeKey(wantedKey(answer)));
  show(await listKeys());
}

/** What a form asks for, as the API takes it. */
function wantedKey(values) {
  const collections = values.collections.split(/[\s,]+/).filter(Boolean);
  return {
    name: values.name,
    scopes: SCOPES.filter((scope) => values[`scope ${scope}`]),
    ...(collections.length ? { collections } : {}),
    ...(values.days ? { expires_in_days: Number(values.days) } : {}),
  };
}

function choice(scope) {
  const box = el("input", { type: "checkbox", name: `scope ${scope}`, checked: EVERYDAY.includes(scope) });
  return el("label", {}, box, ` ${scope}`);
}

function showMade({ name, key }) {
  const copy = () => guarded(() => navigator.clipboard.writeText(key).then(() => say("Copied")));
  byId("made").replaceChildren(
    line(`The key ${name}. It is not shown again.`),
    el("pre", { id: "secret", textContent: key }),
    el("button", { type: "button", textContent: "Copy", onclick: copy }),
  );
  byId("made").hidden = false;
  byId("made").scrollIntoView({ block: "nearest" });
}

function revokeButton({ name }) {
  const revoke = async () => {
    const content = [line(`Programs that use the key ${name} are refused from then on. It cannot be undone.`)];
    if (!(await ask({ title: "Revoke a key", content, action: "Revoke", isDangerous: true }))) return;
    show(await revokeKey(name));
    say(`The key ${name} was revoked`);
  };
  return el("button", { type: "button", textContent: "Revoke…", "aria-label": `Revoke the key ${name}`, onclick: () => guarded(revoke) });
}
