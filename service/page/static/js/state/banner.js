// A banner while the server cannot be reached, or this computer is offline; it goes by itself once that has passed.

import { connection, isAlive } from "../api.js";
import { byId } from "../dom.js";

const FIRST_MS = 1000;
const LONGEST_MS = 15_000;

export function installBanner(again) {
  const banner = byId("connection");
  let timer = 0;
  let wait = FIRST_MS;

  function show(text) {
    byId("connection-text").textContent = text;
    banner.hidden = false;
  }

  function hide() {
    clearTimeout(timer);
    timer = 0;
    wait = FIRST_MS;
    banner.hidden = true;
  }

  function away() {
    show(navigator.onLine ? "The server does not answer. This page tries again by itself." : "This computer is offline.");
    timer ||= setTimeout(look, wait);
  }

  async function look() {
    timer = 0;
    wait = Math.min(2 * wait, LONGEST_MS);
    if (!(await isAlive())) return away();
    hide();
    return again.now();
  }

  connection.addEventListener("unreachable", away);
  connection.addEventListener("busy", () => {
    show("The server is busy or starting. This page tries again by itself.");
    timer ||= setTimeout(look, wait);
  });
  connection.addEventListener("reached", () => !banner.hidden && !timer && hide());
  window.addEventListener("offline", away);
  window.addEventListener("online", look);
  byId("connection-retry").addEventListener("click", () => {
    clearTimeout(timer);
    look();
  });
}
