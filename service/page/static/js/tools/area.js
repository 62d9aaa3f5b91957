// Measures what an ellipse or an outline drawn by hand encloses.

import { boxBetween } from "../viewing/boxes.js";
import { measuringTool, placeMeasurement } from "./measuring.js";
import { drawing, middleBox } from "./region_tools.js";
import { ellipseIn } from "./shapes.js";

const area = (points) => points && { kind: "area", points };

export const areaEllipse = {
  ...measuringTool({ name: "area", label: "Area", key: "a", hint: "Measure area and values in an ellipse" }, () => ({ from, to, frame }) => {
    const around = boxBetween(from, to, frame.columns, frame.rows);
    return area(around && ellipseIn(around));
  }),
  place: (viewer, toolbox) => placeMeasurement(viewer, toolbox, area(ellipseIn(middleBox(viewer.shown.frame)))),
};

export const areaOutline = measuringTool(
  { name: "outline", label: "Area by hand", key: "o", hint: "Measure area and values in an outline drawn by hand" },
  (begun) => {
    const draw = drawing(begun);
    return (stroke) => area(draw(stroke));
  },
);
