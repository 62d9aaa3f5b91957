// What lies in an outline: the values of the pixels whose centres are inside it.

/**
 * Mean, standard deviation, least and largest value in an outline, in the frame's units; null where no pixel has one.
 *
 * A pixel counts where its centre is inside, by the even-odd rule; padding and what lies outside the image do not. The
 * deviation is that of all these pixels, not an estimate from a sample of them.
 */
export function statisticsIn(frame, outline) {
  const scale = frame.units === "presentation" ? 100 : 1;
  const values = [];
  for (let row = 0; row < frame.rows; row += 1) {
    for (const [from, to] of spansAt(outline, row + 0.5)) {
      for (let column = Math.ceil(from - 0.5); column + 0.5 < to; column += 1) {
        const value = frame.valueAt(column, row);
        if (value !== null) values.push(value * scale);
      }
    }
  }
  return values.length ? summary(values) : null;
}

function summary(values) {
  let [sum, min, max] = [0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { pixels: values.length, mean, sd: Math.sqrt(squares / values.length), min, max };
}

/** Where a horizontal line is inside an outline: pairs of x. */
function spansAt(outline, y) {
  const crossings = [];
  outline.forEach(([ax, ay], i) => {
    const [bx, by] = outline[(i + 1) % outline.length];
    if (ay <= y !== by <= y) crossings.push(ax + ((y - ay) / (by - ay)) * (bx - ax));
  });
  crossings.sort((a, b) => a - b);
  return Array.from({ length: crossings.length / 2 }, (_, i) => [crossings[2 * i], crossings[2 * i + 1]]);
}
