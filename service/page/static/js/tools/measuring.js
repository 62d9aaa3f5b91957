// What the tools that measure have in common.

/** A tool that measures: `measured(stroke)`, called as a stroke begins, gives what makes its measurement, or null. */
export function measuringTool(tool, measured) {
  return {
    ...tool,
    marks: true,
    measures: true,
    begin(begun, { measurements }) {
      const { item } = begun;
      const before = measurements.of(item);
      const draw = measured(begun);
      return {
        move(stroke) {
          const drawn = draw(stroke);
          measurements.set(item, drawn ? [...before, drawn] : before);
        },
        cancel: () => measurements.set(item, before),
      };
    },
  };
}

export function placeMeasurement({ shown: { item } }, { measurements }, measurement) {
  measurements.set(item, [...measurements.of(item), measurement]);
}
