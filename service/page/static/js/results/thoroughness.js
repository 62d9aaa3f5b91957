// How thorough a search was, in a reader's words.

const MOST_TOLD = 99.9;
const PERCENT = "\u00a0%";

/** Say of an answer how many of the nearest a fast search has most likely found; "" where the search was exact. */
export function fastText({ search: { made, expected_recall: share }, hits }) {
  if (made === "exact") return "";
  const nearest = hits.length > 1 ? `${hits.length.toLocaleString("en")} nearest` : "nearest";
  return `Fast search: ${percent(share)} of the ${nearest} are expected among the hits, but for what one or two slices alone show.`;
}

/** A share in percent, rounded down: that all are there is never said. */
function percent(share) {
  // Answers tell four digits.
  const told = Math.floor(Math.round(share * 10_000) / 10) / 10;
  return told > MOST_TOLD ? `more than ${MOST_TOLD}${PERCENT}` : told.toFixed(1) + PERCENT;
}
