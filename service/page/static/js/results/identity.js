// Which frame a hit is: its instance, its number, and the collection that holds it, for an instance may be in several.

export const keyOf = ({ collection, sop_instance_uid, frame_number }) => `${collection}/${sop_instance_uid}/${frame_number}`;

/** Whether two names are of one frame; a name without a collection is of any. */
export const isSameFrame = (one, other) =>
  one.sop_instance_uid === other.sop_instance_uid &&
  one.frame_number === other.frame_number &&
  (!one.collection || !other.collection || one.collection === other.collection);
