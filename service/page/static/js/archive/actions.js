// What can be done with the row that is chosen: another label, other files in its place, deletion.

import { Problem } from "../api.js";
import { byId, plural, say } from "../dom.js";
import { ask, field, line } from "../dialog.js";
import { leave, searchWithout } from "./leaving.js";
import { changeLabel, deleteFrames } from "./requests.js";
import { refusal } from "./upload.js";
import { wordsOf } from "./words.js";

const UID_END = 4;

const ACTIONS = {
  "relabel-row": { scopes: ["label"], run: relabel },
  "replace-row": { scopes: ["delete", "index"], run: replaceFiles, removes: true },
  "delete-row": { scopes: ["delete"], run: remove, removes: true },
};

/** Wire the buttons below the list; `may` tells what the login allows, `replace(files, target)` indexes files. */
export function installActions(app, tree, may, replace) {
  const { archive, reading, guarded } = app;
  const act = (id) => {
    const { scopes, run, removes } = ACTIONS[id];
    const target = tree.active && targetOf(tree.active, archive.series);
    if (!target || !may(scopes)) return;
    guarded(() => (removes ? removed(run, target) : relabelled(run, target)));
  };

  async function relabelled(run, target) {
    const done = await run(target);
    if (!done) return;
    await archive.refresh();
    say(done.said);
  }

  async function removed(ask, target) {
    const sure = await ask(target);
    if (!sure) return;
    const isGone = (series) => isOf(series, target);
    const end = sure.files ? archive.replace(archive.series.filter(isGone)) : () => undefined;
    leave(app, isGone);
    try {
      const { frames } = await deleteFrames(target.level, target.uid, target.collection);
      await archive.refresh();
      await searchWithout(app, isGone);
      say(`${plural(frames, "frame")} deleted${sure.files ? "; the files are being indexed" : ""}`);
      if (sure.files) await replace(sure.files, target);
    } finally {
      end();
    }
    // Nothing of what is gone stays in the memory of this tab.
    if (!reading.seen.some(isGone)) return;
    archive.dispatchEvent(new Event("removed"));
    location.assign(location.pathname);
  }

  function update() {
    const target = tree.active && targetOf(tree.active, archive.series);
    byId("row-actions").hidden = !target || !Object.values(ACTIONS).some(({ scopes }) => may(scopes));
    byId("row-name").textContent = target?.name ?? "";
    for (const [id, { scopes }] of Object.entries(ACTIONS)) byId(id).hidden = !may(scopes);
  }

  for (const id of Object.keys(ACTIONS)) byId(id).addEventListener("click", () => act(id));
  tree.element.addEventListener("keydown", (event) => {
    const id = { Delete: "delete-row", F2: "relabel-row" }[event.key];
    if (id) act(id);
  });
  tree.addEventListener("active", update);
  archive.addEventListener("listed", update);
  update();
}

/**
 * What a row stands for: a series, or a study; null for a patient, who has no name here, and for what is being replaced.
 *
 * `isWholeStudy` says whether nothing of the study is left without it.
 */
export function targetOf(row, all) {
  if (row.kind === "patient" || row.series.some(({ isReplaced }) => isReplaced)) return null;
  const [{ study_uid, series_uid, collection, label }] = row.series;
  const isOfStudy = (one) => one.study_uid === study_uid && one.collection === collection;
  const ofStudy = all.filter(isOfStudy);
  const held = row.kind === "study" ? ofStudy : row.series;
  return {
    level: row.kind,
    uid: row.kind === "study" ? study_uid : series_uid,
    studyUid: study_uid,
    collection,
    label,
    name: wordsOf({ ...row, series: held }).name,
    series: held.length,
    frames: held.reduce((sum, { frames }) => sum + frames, 0),
    isWholeStudy: held.length === ofStudy.length,
  };
}

const isOf = (series, { level, uid, collection }) =>
  series.collection === collection && (level === "study" ? series.study_uid : series.series_uid) === uid;

/** Say exactly what a target is. */
function described({ level, uid, collection, name, series, frames }) {
  const what = level === "study" ? `study with ${series} series` : "series";
  return [`The ${what}: ${name}.`, `${plural(frames, "frame")} in the collection ${collection}.`, `UID ${uid}`];
}

async function relabel(target) {
  const { level, uid, collection, label } = target;
  const wanted = field("Label", "label", { value: label ?? "", maxLength: 64 });
  const hint = line("Left empty, the label is taken away. Do not name it after a patient.");
  const content = [...described(target).map(line), wanted, hint];
  const answer = await ask({ title: `Label a ${level}`, content, action: "Set the label" });
  if (!answer) return null;
  const { changed } = await changeLabel(level, uid, collection, answer.label.trim() || null);
  return { said: `${plural(changed, "frame")} relabelled` };
}

async function remove(target) {
  const answer = await confirmed(target, { title: `Delete a ${target.level}`, action: "Delete", more: [] });
  return answer && {};
}

async function replaceFiles(target) {
  const files = field("Files", "files", { type: "file", multiple: true, required: true });
  const more = [line("Its frames are deleted, then these files are indexed in the same collection."), files];
  const answer = await confirmed(target, { title: `Replace a ${target.level}`, action: "Replace", more });
  if (!answer) return null;
  const chosen = [...files.querySelector("input").files];
  checkSendable(chosen, Number(document.body.dataset.maxUpload));
  return { files: chosen };
}

/** Refuse to delete anything for files of which one cannot take its place. */
export function checkSendable(files, maxBytes) {
  const refused = files.find((file) => refusal(file, maxBytes));
  if (!refused) return;
  const detail = `${refused.name}: ${refusal(refused, maxBytes)}`;
  throw new Problem({ title: "Nothing was deleted", detail, remedy: "Choose other files." });
}

/** Ask before frames go for good; where nothing of the study is left, the end of its UID is typed. */
function confirmed(target, { title, action, more }) {
  const end = target.studyUid.slice(-UID_END);
  const typed = `This is all of the study ${target.studyUid}. Type the last ${UID_END} characters of its UID`;
  const proof = target.isWholeStudy ? [field(typed, "end", { required: true })] : [];
  const content = [...described(target).map(line), line("It cannot be undone."), ...more, ...proof];
  const isReady = (values) => !target.isWholeStudy || values.end === end;
  return ask({ title, content, action, isReady, isDangerous: true });
}
