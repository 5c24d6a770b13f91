/** By how much evenly spaced samples grow from one to the next, by least squares. */
export function slopeOf(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2;
  let above = 0;
  let below = 0;
  for (const [i, value] of samples.entries()) {
    above += (i - middle) * value;
    below += (i - middle) ** 2;
  }
  return above / below;
}
