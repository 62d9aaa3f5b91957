// Pulling from a PACS: what is wanted of it, by study, series, modality and dates, as an index job that is followed.

import { submitJob } from "../archive/requests.js";
import { ask, line } from "../dialog.js";
import { byId, el, say } from "../dom.js";
import { cardOf } from "./job_cards.js";
import { guarded } from "./page.js";

const LIMITS = ["study_uid", "series_uid", "modality", "since", "until"];

/** Show the form; `known` are the names of PACS that may be told here. */
export function installPull(known) {
  byId("pull").hidden = false;
  byId("pull-known").replaceChildren(...known.map((value) => el("option", { value })));
  if (known.length === 1) [byId("pull").elements.name.value] = known;
  byId("pull").addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(() => pull(wantedOf(Object.fromEntries(new FormData(event.target)))));
  });
}

async function pull(wanted) {
  if (isEverything(wanted) && !(await isSure(wanted.pacs.name))) return;
  byId("pulls").prepend(cardOf(await submitJob(wanted)));
  say(`What ${wanted.pacs.name} has of it is being indexed`);
}

/** What a form asks for, as the API takes it: what is left empty limits nothing. */
export function wantedOf({ name, collection, label, modality, ...others }) {
  const limits = { ...others, modality: modality.toUpperCase() };
  const given = LIMITS.map((limit) => [limit, limits[limit].trim()]).filter(([, value]) => value);
  return {
    pacs: { name: name.trim(), ...Object.fromEntries(given) },
    collection: collection.trim(),
    ...(label.trim() ? { label: label.trim() } : {}),
  };
}

export const isEverything = ({ pacs }) => LIMITS.every((limit) => !(limit in pacs));

async function isSure(name) {
  const content = [line(`Nothing limits what is pulled: all that ${name} has is indexed, which may take days.`)];
  return (await ask({ title: "Pull everything", content, action: "Pull everything" })) !== null;
}
