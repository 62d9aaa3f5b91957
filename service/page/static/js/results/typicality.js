// How far a query is like what the model knows, in a reader's words.

/** Below this share, a reader is told that the query is unusual. */
const UNUSUAL = 0.05;

const percent = (share) => (share < 0.01 ? "less than 1 %" : `${Math.round(share * 100)} %`);

/** Say of an answer's query how typical it is: {isUnlike, text}; null where the model cannot tell. */
export function typicalityOf({ typicality, out_of_distribution: isUnlike, regions }) {
  if (typicality === null) return null;
  if (!isUnlike) {
    const what = regions.length ? "region and image" : "image";
    const kind = typicality < UNUSUAL ? "Unusual" : "Typical";
    return { isUnlike, text: `${kind}: ${percent(typicality)} of what the model knows is as unusual as this ${what}, or more.` };
  }
  return { isUnlike, text: `${unlike(regions)} Hits may mean nothing: do not rely on them.` };
}

function unlike(regions) {
  if (!regions.length) return "This image is unlike all images of its kind that the model knows.";
  const which = regions.flatMap((region, at) => (region.out_of_distribution ? [at + 1] : []));
  if (regions.length === 1 || !which.length) return "This region, or the image around it, is unlike all that the model knows.";
  return `Of the regions, number ${which.join(" and ")} or the image around it is unlike all that the model knows.`;
}
