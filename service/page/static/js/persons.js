// What is told of a person: sex, and age in bands of ten years. The archive keeps ages of 90 and above as 90.

const SEXES = { F: "female", M: "male", O: "other sex" };
/** The age from which ages are not told apart. */
export const OLDEST = 90;
export const BAND_YEARS = 10;

/** A sex of DICOM in words. */
export const sexText = (sex) => SEXES[sex] ?? sex;

/** The age with which the band of an age begins. */
export const bandOf = (years) => Math.min(OLDEST, Math.floor(years / BAND_YEARS) * BAND_YEARS);

/** An age as its band, "60–69 years"; null where it is unknown. */
export function ageBand(years) {
  if (years === null || years === undefined) return null;
  const from = bandOf(years);
  return from === OLDEST ? `${OLDEST} years and above` : `${from}–${from + BAND_YEARS - 1} years`;
}
