/** Lowest and highest sample of any stretch in a few steps, so that a day of ECG draws as fast as a minute. */

const FIRST_BLOCK = 16;
const FACTOR = 4;

/** Builds levels of blocks, each with its extremes; a block without samples has low > high. */
export function buildPyramid(samples, missing) {
  const levels = [firstLevel(samples, missing)];
  while (levels.at(-1).low.length > 2 * FACTOR) levels.push(nextLevel(levels.at(-1)));
  return { samples, missing, levels };
}

function emptyLevel(block, length) {
  return { block, low: new Int16Array(length).fill(32767), high: new Int16Array(length).fill(-32768) };
}

function firstLevel(samples, missing) {
  const level = emptyLevel(FIRST_BLOCK, Math.ceil(samples.length / FIRST_BLOCK));
  for (let b = 0, i = 0; b < level.low.length; b += 1) {
    let [low, high] = [32767, -32768];
    for (const end = Math.min(samples.length, i + FIRST_BLOCK); i < end; i += 1) {
      const value = samples[i];
      if (value === missing) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    level.low[b] = low;
    level.high[b] = high;
  }
  return level;
}

function nextLevel(finer) {
  const level = emptyLevel(finer.block * FACTOR, Math.ceil(finer.low.length / FACTOR));
  for (let i = 0; i < finer.low.length; i += 1) {
    const b = Math.floor(i / FACTOR);
    if (finer.low[i] < level.low[b]) level.low[b] = finer.low[i];
    if (finer.high[i] > level.high[b]) level.high[b] = finer.high[i];
  }
  return level;
}

/** Lowest and highest of samples [from, to), into `out` as [low, high]; low > high where all are missing. */
export function extremes({ samples, missing, levels }, from, to, out) {
  out[0] = 32767;
  out[1] = -32768;
  // Blocks of up to half the stretch: what they add at its ends is less than half a pixel.
  const level = levels.findLast(({ block }) => 2 * block <= to - from);
  if (level) return fold(level.low, level.high, Math.floor(from / level.block), Math.ceil(to / level.block), out);
  for (let i = Math.max(0, from); i < Math.min(to, samples.length); i += 1) {
    const value = samples[i];
    if (value === missing) continue;
    if (value < out[0]) out[0] = value;
    if (value > out[1]) out[1] = value;
  }
  return out;
}

function fold(low, high, from, to, out) {
  for (let b = Math.max(0, from); b < Math.min(to, low.length); b += 1) {
    if (low[b] < out[0]) out[0] = low[b];
    if (high[b] > out[1]) out[1] = high[b];
  }
  return out;
}
