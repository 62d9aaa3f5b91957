// A dialog once the login has ended: how to get another, while all that is drawn stays; after it the page goes on.

import { connection, currentLogin } from "../api.js";
import { byId, clearProblem, say } from "../dom.js";

const POLL_MS = 3000;

export function installExpired(again) {
  const dialog = byId("expired");
  let timer = 0;

  async function look() {
    clearTimeout(timer);
    const login = await currentLogin();
    if (!dialog.open) return;
    if (login === null) timer = setTimeout(look, POLL_MS);
    // Another reader may not see what this one has on the screen.
    else if (login !== document.body.dataset.login) location.reload();
    else await goOn();
  }

  async function goOn() {
    dialog.close();
    clearProblem();
    say("You are logged in again.");
    await again.now();
  }

  connection.addEventListener("expired", () => {
    if (dialog.open) return;
    dialog.showModal();
    timer = setTimeout(look, POLL_MS);
  });
  dialog.addEventListener("close", () => clearTimeout(timer));
  window.addEventListener("focus", () => dialog.open && look());
  byId("expired-check").addEventListener("click", look);
}
