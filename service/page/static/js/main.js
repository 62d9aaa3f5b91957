// The page: archive on the left, viewer in the middle, hits on the right.
//
// Each part is wired by a function of its own, which is given the same things; see docs/page.md.

import { logOut } from "./api.js";
import { Archive } from "./archive/archive.js";
import { installArchive } from "./archive/install.js";
import { Compare } from "./compare/compare.js";
import { installCompare } from "./compare/install.js";
import { byId, clearProblem, say, showProblem } from "./dom.js";
import { FrameStore } from "./pixels/store.js";
import { Reading } from "./reading.js";
import { Asking } from "./results/asking.js";
import { Hits } from "./results/hits.js";
import { installResults } from "./results/install.js";
import { installShell } from "./shell/install.js";
import { installState } from "./state/install.js";
import { installTools } from "./tools/install.js";
import { Viewer } from "./viewing/viewer.js";
import { installViewing } from "./viewing/install.js";

const PARTS = [installShell, installViewing, installTools, installResults, installArchive, installCompare, installState];

const store = new FrameStore();
const viewer = new Viewer({ picture: byId("picture"), marks: byId("canvas") }, store);
const archive = new Archive((series) => guarded(() => reading.openSeries(series)));
const hits = new Hits((hit) => guarded(() => (compare.isOpen ? compare.openHit(hit) : reading.openHit(hit))));
const asking = new Asking();
const reading = new Reading({ viewer, archive, hits });
const compare = new Compare({ store, viewer, archive, reading });

/** Run an action of the user; an error is shown on the page, and told as `failed` of `reading`. */
async function guarded(action) {
  clearProblem();
  try {
    await action();
  } catch (problem) {
    say("");
    showProblem(problem);
    reading.dispatchEvent(new CustomEvent("failed", { detail: { problem, action } }));
  }
}

for (const install of PARTS) install({ store, viewer, archive, hits, asking, reading, compare, guarded });
byId("logout").addEventListener("click", () => guarded(() => logOut().then(() => location.reload())));
