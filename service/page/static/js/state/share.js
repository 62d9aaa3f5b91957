// The link that shows another reader the same: copied, or shown to be copied where the browser does not let a page do so.

import { byId, say } from "../dom.js";
import { encode } from "./address.js";
import { currentState } from "./current.js";

const NO_ADDRESS = "Files of this computer have no address: index them to share what is found.";
const FOR_WHOM = "The link was copied. Whoever opens it needs a login that may see this collection.";

export function installShare(app) {
  byId("share-open").addEventListener("click", async () => {
    const state = currentState(app);
    if (!state) {
      say(NO_ADDRESS);
      return;
    }
    const link = location.origin + location.pathname + encode(state);
    if (await isCopied(link)) say(app.reading.query && !state.search ? `${FOR_WHOM} The query's file is not in it.` : FOR_WHOM);
    else show(link);
  });
}

async function isCopied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function show(link) {
  byId("share-link").value = link;
  byId("share").showModal();
  byId("share-link").select();
}
