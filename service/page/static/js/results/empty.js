// What is said where there are no hits, and what a reader can do about it.

/** Return {text, widen, change}: `change` is what of the asking to give up, under the name `widen`; null for nothing. */
export function emptyOf(answer, { among, chosen }) {
  if (!answer) return { text: "Hits appear here, nearest first.", widen: "", change: null };
  if (Object.values(chosen).some((keys) => keys.length)) {
    return { text: "No image that fits the filters.", widen: "Remove all filters", change: { chosen: {} } };
  }
  if (among !== "all") {
    const text = among === "others" ? "No image of another patient is indexed." : "No other image of this series is indexed.";
    return { text, widen: "Search all images", change: { among: "all" } };
  }
  return { text: "Nothing to compare with: the archive holds no other image.", widen: "", change: null };
}
