// The link that shows another reader the same: copied, or shown to be copied where the browser does not let a page do so.

import { byId, say } from "../dom.js";
import { decode, encode } from "./address.js";
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
    const address = encode(state);
    const link = location.origin + location.pathname + address;
    if (await isCopied(link)) say([FOR_WHOM, missingIn(address, app.reading.query)].filter(Boolean).join(" "));
    else show(link);
  });
}

/** What of a search an address does not hold, in words; "" where it holds all. */
export function missingIn(address, query) {
  if (!query || decode(address).search) return "";
  return query.identity.file ? "The query's file is not in it." : "The search is not in it: it is too long for an address.";
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
