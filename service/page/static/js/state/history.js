// The dialog of searches made before: to open one again, to keep it under a name, to delete it.

import { thumbnailUrl } from "../api.js";
import { ask, line } from "../dialog.js";
import { byId, el, plural } from "../dom.js";
import { decode, partsOf } from "./address.js";

const WHEN = { dateStyle: "medium", timeStyle: "short" };

export function installHistory({ archive }, searches, go) {
  const dialog = byId("history");
  const show = () => {
    fill("history-saved", searches.saved);
    fill("history-recent", searches.recent);
    byId("history-empty").hidden = searches.saved.length + searches.recent.length > 0;
  };

  function fill(id, entries) {
    byId(id).replaceChildren(...entries.map(row));
    byId(id).parentElement.hidden = !entries.length;
  }

  function row(entry) {
    const { search, collection } = decode(entry.address);
    const { instance, frame, regions } = partsOf(search);
    const boxes = regions.map(({ box }) => box);
    const words = wordsOf(entry, archive.series);
    const picture = thumbnailUrl({ sop_instance_uid: instance, frame_number: frame, collection }, boxes);
    const open = () => {
      dialog.close();
      go(entry.address);
    };
    return el(
      "li",
      { className: "past-search" },
      el(
        "button",
        { type: "button", className: "past-open", onclick: open },
        el("img", { src: picture, alt: "", width: 64, height: 64, loading: "lazy" }),
        el(
          "span",
          { className: "past-text" },
          el("strong", { textContent: entry.name || words }),
          el("span", { className: "muted", textContent: entry.name ? words : "" }),
          el("time", { className: "muted", textContent: new Intl.DateTimeFormat("en-GB", WHEN).format(entry.at) }),
        ),
      ),
      entry.name ? "" : saving(entry),
      el("button", {
        type: "button",
        className: "quiet",
        textContent: "Delete",
        "aria-label": `Delete ${entry.name || words}`,
        onclick: () => searches.remove(entry),
      }),
    );
  }

  function saving(entry) {
    const name = el("input", { type: "text", maxLength: 60, required: true, placeholder: "Name", "aria-label": "Name to save it under" });
    const save = (event) => {
      event.preventDefault();
      searches.save(entry, name.value);
    };
    return el("form", { className: "past-save", onsubmit: save }, name, el("button", { type: "submit", textContent: "Save" }));
  }

  searches.addEventListener("changed", show);
  byId("history-open").addEventListener("click", () => {
    show();
    dialog.showModal();
  });
  byId("history-clear").addEventListener("click", async () => {
    const all = searches.saved.length + searches.recent.length;
    if (all && (await isSure(all, searches.saved.length))) searches.clear();
  });
}

async function isSure(all, saved) {
  const content = [line(`${counted(all)} will be deleted, ${saved} of them saved under a name. It cannot be undone.`)];
  return (await ask({ title: "Delete the history", content, action: "Delete all", isDangerous: true })) !== null;
}

const counted = (count) => (count === 1 ? "1 search" : `${count} searches`);

/** Say what was searched for, from what the archive tells of the series. */
export function wordsOf({ address, isFast }, series) {
  const { search, series: uid, collection } = decode(address);
  const { regions, options } = partsOf(search);
  const known = series.find((one) => one.series_uid === uid && (!collection || one.collection === collection));
  const what = regions.length ? plural(regions.length, "region") : "whole image";
  const name = known ? [known.modality, known.body_part].filter(Boolean).join(" ") : "A series that is not listed";
  const thorough = isFast ? "fast search" : options.search === "exact" && "exact search";
  return [name, what, options.mode, `${options.k ?? 10} hits`, thorough].filter(Boolean).join(", ");
}
