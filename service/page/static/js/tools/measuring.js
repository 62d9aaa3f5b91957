// What the tools that measure have in common.

/** A tool that measures: `measured(stroke)` makes a measurement of a stroke, null as long as it is none. */
export function measuringTool(tool, measured) {
  return {
    ...tool,
    marks: true,
    measures: true,
    begin({ item }, { measurements }) {
      const before = measurements.of(item);
      const draw = measured();
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
