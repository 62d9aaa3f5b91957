// Hits to take away: a table, JSON, a contact sheet, or DICOM documents, which a PACS can be given.

import { exportHits } from "../api.js";
import { byId, el, plural, say } from "../dom.js";
import { rankedBy } from "./asking.js";
import { sheetOfCards } from "./sheet.js";
import { csvOf, jsonOf } from "./table.js";

/** The server tells no more hits as DICOM. */
const MOST_HITS = 50;
const KINDS = ["sr", "kos", "picture"];

/** Why hits cannot be told as DICOM; "" where they can. */
export function whyNoDicom(may, query) {
  if (!may.includes("export")) return "This login may not export DICOM: 'hmar keys login --scope search --scope export' makes one that may.";
  if (query?.identity.file) return "The documents belong to a study of the archive: index the file, and search with it there.";
  return "";
}

/**
 * The fields of an export: the same search, made in the same way, of which the hits that are shown are told.
 *
 * A fast search finds the same again if it ranks as many as that of the page.
 */
export function exportFields(options, { search: { made } }, hits, { kinds, to }) {
  const same = { search: made, ...(made === "fast" ? { k: rankedBy(options) } : {}) };
  const named = hits.slice(0, MOST_HITS).map(({ sop_instance_uid, frame_number }) => ({ sop_instance_uid, frame_number }));
  return { ...options, ...same, hits: named, kinds, ...(to ? { to } : {}) };
}

function save(name, blob) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

const today = () => new Date().toISOString().slice(0, 10);

export function installExports({ reading, hits, judgements, may, pacs, guarded }) {
  const verdictOf = (hit) => judgements.verdictOf(hit);
  const name = (ending) => `hmar-hits-${today()}.${ending}`;
  const on = (id, act) => byId(id).addEventListener("click", () => guarded(act));

  byId("export-to").append(...pacs.map((value) => el("option", { value, textContent: `PACS ${value}` })));

  on("export-csv", () => save(name("csv"), new Blob([csvOf(hits.shown, verdictOf)], { type: "text/csv" })));
  on("export-json", () => {
    const text = jsonOf(reading.query, reading.options, reading.answer, hits.shown, verdictOf);
    save(name("json"), new Blob([text], { type: "application/json" }));
  });
  on("export-sheet", async () => {
    const { query, answer } = reading;
    const what = { query, answer, picture: hits.picture, displayWindow: hits.displayWindow, day: today() };
    save(name("png"), await sheetOfCards(hits.cards, what));
  });
  on("export-dicom", async () => {
    const { query, options, answer } = reading;
    const kinds = KINDS.filter((kind) => byId(`export-${kind}`).checked);
    const to = byId("export-to").value;
    const boxes = query.regions.map(({ box, outline }) => outline ?? box);
    say("Writing documents…");
    const made = await exportHits(query.identity, boxes, exportFields(options, answer, hits.shown, { kinds, to }));
    if (made.zip) save(name("zip"), made.zip);
    showMade(made);
  });

  function update() {
    const why = whyNoDicom(may, reading.query);
    const isEmpty = !hits.shown.length;
    for (const id of ["export-csv", "export-json", "export-sheet"]) byId(id).disabled = isEmpty;
    byId("dicom").disabled = isEmpty || Boolean(why);
    byId("export-why").textContent = why || (pacs.length ? "" : "No PACS is named here: documents can be downloaded.");
  }
  hits.addEventListener("changed", update);
  reading.addEventListener("query", () => {
    byId("export-made").replaceChildren();
    update();
  });
  update();
}

function showMade({ pacs, complete, documents = [], hits, other_patients: others, unreadable }) {
  const where = pacs ? `${complete ? "Stored to" : "Not all was taken by"} ${pacs}` : "Downloaded";
  const left = [others && `${others} of other patients`, unreadable && `${unreadable} that cannot be read`].filter(Boolean);
  const texts = [
    `${where}: ${plural(hits, "hit")}${left.length ? `; left out: ${left.join(", ")}` : ""}`,
    ...documents.filter(({ refused }) => refused).map(({ kind, refused }) => `${kind}: ${refused}`),
  ];
  byId("export-made").replaceChildren(...texts.map((textContent) => el("li", { textContent })));
  say(texts[0]);
}
