// What was drawn last on an image: a measurement where one is made, else a region. Keys move it, resize it, remove it.

import { shiftBox } from "../viewing/boxes.js";
import { boxAround, inside, outlineIn } from "./shapes.js";

/** Move or resize what was drawn last by [dx, dy, more width, more height] in pixels; false where there is nothing. */
export function shiftLast(viewer, { active, measurements }, change) {
  const { item, frame } = viewer.shown;
  const [marks, set, shifted] = active.measures
    ? [measurements.of(item), (all) => measurements.set(item, all), shiftMeasurement]
    : [viewer.regions, (all) => viewer.setRegions(all), shiftRegion];
  if (!marks.length) return false;
  set([...marks.slice(0, -1), shifted(marks.at(-1), change, frame)]);
  return true;
}

export function removeLast(viewer, { active, measurements }) {
  const { shown, regions } = viewer;
  if (!shown) return;
  const measured = measurements.of(shown.item);
  if (measured.length && (active.measures || !regions.length)) measurements.set(shown.item, measured.slice(0, -1));
  else if (regions.length) viewer.setRegions(regions.slice(0, -1));
}

export function shiftRegion(region, change, { columns, rows }) {
  const box = shiftBox(region.box, ...change, columns, rows);
  return region.outline ? { ...region, box, outline: outlineIn(region.outline, region.box, box) } : { ...region, box };
}

/** A line is resized by its end, an outline with the box around it. */
export function shiftMeasurement({ kind, points }, [dx, dy, across, down], frame) {
  if (kind === "length") {
    const [[ax, ay], [bx, by]] = points;
    return { kind, points: inside([[ax + dx, ay + dy], [bx + dx + across, by + dy + down]], frame.columns, frame.rows) };
  }
  const around = boxAround(points);
  const box = shiftBox(around, dx, dy, across, down, frame.columns, frame.rows);
  return { kind, points: outlineIn(points, around, box) };
}
