// The controls that say how is searched, and among what: they show what is asked for, and change it.

import { byId } from "../dom.js";

export function installControls({ asking, viewer }) {
  const radios = [...byId("among").querySelectorAll("input")];

  function show() {
    const { among, group, search, mode, count } = asking.state;
    // A file of this computer is of no series of the archive.
    const hasSeries = Boolean(viewer.stack?.series);
    for (const radio of radios) {
      radio.checked = radio.value === among;
      radio.disabled = radio.value === "series" && !hasSeries;
    }
    byId("group").value = group;
    byId("how-thorough").value = search;
    byId("mode").value = mode;
    byId("k").value = count;
  }

  for (const radio of radios) radio.addEventListener("change", () => asking.change({ among: radio.value }));
  byId("group").addEventListener("change", ({ target }) => asking.change({ group: target.value }));
  byId("how-thorough").addEventListener("change", ({ target }) => asking.change({ search: target.value }));
  // Mode and number are beside the button that searches: they wait for it.
  byId("mode").addEventListener("change", ({ target }) => asking.change({ mode: target.value }, { isQuiet: true }));
  byId("k").addEventListener("input", ({ target }) => asking.change({ count: target.valueAsNumber || 0 }, { isQuiet: true }));
  for (const event of ["change", "taken"]) asking.addEventListener(event, show);
  viewer.addEventListener("shown", () => {
    const own = radios.find(({ value }) => value === "series");
    own.disabled = !viewer.stack?.series;
  });
  show();
}
