// Reads the value under the pointer.

/** A mouse reads values whatever its tool: this one is for fingers and keys. */
export const probe = {
  name: "probe",
  label: "Probe",
  key: "p",
  hint: "Read values; arrow keys move the point",
  begin({ from }, { point }) {
    point.set(from);
    return { move: ({ to }) => point.set(to) };
  },
  place: (viewer, { point }) => point.centre(),
};
