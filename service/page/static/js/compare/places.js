// Which image of one stack lies beside which of another.

/** From each item of a stack to the item beside it and their distance, as the server matched the two series. */
export function placesOf({ frames }, stack, other) {
  const places = new Map();
  for (const { sop_instance_uid, frame_number, beside, distance } of frames) {
    const item = stack.find(sop_instance_uid, frame_number);
    const there = other.find(beside.sop_instance_uid, beside.frame_number);
    if (item && there) places.set(item, { item: there, distance });
  }
  return places;
}

/** A stack beside itself. */
export const ownPlaces = (stack) => new Map(stack.items.map((item) => [item, { item, distance: 0 }]));
