/** An answer of /v1/records as the page works with it: typed arrays, and searches in them. */

import { CLASSES } from "./classes.js";
import { buildPyramid } from "./pyramid.js";

// A multiple of four characters decodes on its own, so that no second copy of a day lies in memory.
const DECODE_CHARS = 1 << 20;
const UNIT_SPAN = 3; // mV that an unknown unit's usual range is drawn as.
const RANGE_SAMPLES = 40_000;

/** Turns the service's answer into a recording; `name` is the reader's own file name. */
export function toRecording(answer, name) {
  const duration = answer.record.duration_s;
  const trace = answer.trace ? toTrace(answer.trace, answer.record) : null;
  return { ...answer, name, trace, duration: duration ?? 0, onPaper: trace !== null && duration > 0, beats: toBeats(answer.beats) };
}

function toBeats({ sample, time_s: timeS, aami_class: letters, confidence, rr_s: rr, quality, reason, proba }) {
  const codes = Uint8Array.from(letters, (letter) => CLASSES.indexOf(letter));
  return { count: letters.length, sample, timeS, letters, codes, confidence, rr, quality, reason, proba };
}

function toTrace({ fs, mv_per_unit: mvPerUnit, missing, data }, record) {
  const samples = decodeInt16(data);
  const range = usualRange(samples, missing);
  // Nothing can be to scale in an unknown unit: its usual range then fills the paper.
  const scale = record.unit === null ? UNIT_SPAN / (range[1] - range[0] || 1) : mvPerUnit;
  return { fs, missing, samples, scale, mvPerUnit, low: range[0] * scale, high: range[1] * scale, pyramid: buildPyramid(samples, missing) };
}

function decodeInt16(base64) {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((base64.length / 4) * 3 - padding);
  for (let from = 0, at = 0; from < base64.length; from += DECODE_CHARS) {
    const part = atob(base64.slice(from, from + DECODE_CHARS));
    for (let i = 0; i < part.length; i += 1) bytes[at++] = part.charCodeAt(i);
  }
  return new Int16Array(bytes.buffer, 0, bytes.length >> 1);
}

/** The range that all but the rarest samples lie in, so that one artefact does not flatten the rest. */
function usualRange(samples, missing) {
  const step = Math.max(1, Math.floor(samples.length / RANGE_SAMPLES));
  const some = [];
  for (let i = 0; i < samples.length; i += step) if (samples[i] !== missing) some.push(samples[i]);
  if (some.length === 0) return [-1, 1];
  const sorted = Int16Array.from(some).sort();
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return [at(0.001), at(0.999)];
}

/** The index of the first of the rising `times` that is at or after `t`. */
export function firstFrom(times, t) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the beat nearest to `t`, or -1 where there are none. */
export function nearestBeat({ timeS, count }, t) {
  if (count === 0) return -1;
  const after = Math.min(count - 1, firstFrom(timeS, t));
  return after > 0 && t - timeS[after - 1] < timeS[after] - t ? after - 1 : after;
}

/** Seconds as "2:03.40", with hours where there are any. */
export function clock(seconds, digits = 2) {
  const whole = Math.floor(seconds / 60);
  const rest = (seconds - 60 * whole).toFixed(digits).padStart(digits > 0 ? 3 + digits : 2, "0");
  if (whole < 60) return `${whole}:${rest}`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}:${rest}`;
}
