// What is to be known before hits are read: how typical the query is, whose hits could not be left out, how many may be
// missing.

import { byId } from "../dom.js";
import { facetOf } from "./facets.js";
import { fastText } from "./thoroughness.js";
import { typicalityOf } from "./typicality.js";

const PARTS = {
  only: "the series that are searched",
  exclude: "what is left out",
  group_by: "what one hit is",
  search: "how thorough the search is",
};

/** Tell of an answer what its hits depend on, nothing without one; `options` are those that were used in the end. */
export function showBanner(answer, options) {
  const typicality = answer && typicalityOf(answer.query);
  const isUnlike = Boolean(typicality?.isUnlike);
  byId("unlike").hidden = !isUnlike;
  byId("unlike-text").textContent = isUnlike ? typicality.text : "";
  byId("typicality").textContent = typicality && !isUnlike ? typicality.text : "";
  byId("typicality").hidden = isUnlike || !typicality;
  const text = answer ? fastText(answer) : "";
  byId("fast-text").textContent = text;
  byId("fast").hidden = !text;
  byId("own-patient").hidden = options?.exclude?.same !== "study";
}

/** Tell in which parts hits were searched for otherwise than the controls say. */
export function showDiffering(names) {
  const told = names.map((name) => facetOf(name)?.title.toLowerCase() ?? PARTS[name] ?? name);
  byId("differing").textContent = told.length ? `These hits were searched for otherwise than is set here: ${told.join(", ")}.` : "";
  byId("differing").hidden = !told.length;
}
