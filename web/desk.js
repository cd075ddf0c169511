/** The desk: what is open and how it is looked at. It tells its listeners once a frame what changed. */

export const MM_PX = 96 / 25.4; // CSS px of a millimetre, by the definition of the CSS inch.
const ZOOMS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3];
const TRUE_SCALE = 1;

const AT_FIRST = {
  recording: null, // as toRecording makes it
  review: null, // labels corrected so far
  moment: 0, // s, the middle of the paper
  width: 0, // CSS px of the paper's plot
  speed: 25, // mm/s
  gain: 10, // mm/mV
  zoom: TRUE_SCALE, // shares of MM_PX
  lift: 0, // mm that the reader moved the trace up
  upright: true, // an inverted lead is shown the right way up
  selected: -1,
  filter: "all",
  listed: [], // indices of the beats that the filter lets through
  measuring: false,
  caliper: null, // {t0, t1, v0, v1}: s and mV
  labels: 0, // counts corrections, undone ones too
};

/** Returns the desk: its fields are read directly, written by set(), and watched by on(). */
export function createDesk() {
  const listeners = [];
  let changed = new Set();
  const tell = () => {
    const now = changed;
    changed = new Set();
    for (const { keys, listener } of listeners) if (keys.some((key) => now.has(key))) listener(now);
  };
  return {
    ...AT_FIRST,
    set(values) {
      for (const [key, value] of Object.entries(values)) {
        if (this[key] === value) continue;
        this[key] = value;
        if (changed.size === 0) requestAnimationFrame(tell);
        changed.add(key);
      }
    },
    on: (keys, listener) => listeners.push({ keys, listener }),
  };
}

/** Opens a recording: everything else goes back to the start, but the reader's scales stay. */
export function openOn(desk, recording, review) {
  const { width, speed, gain, zoom } = desk;
  const listed = Int32Array.from({ length: recording.beats.count }, (_, i) => i);
  desk.set({ ...AT_FIRST, width, speed, gain, zoom, recording, review, listed, labels: desk.labels + 1 });
}

/** What of the recording is on the paper: {start, span} in s, and the scales in CSS px. */
export function windowOf(desk) {
  const pxPerMm = MM_PX * desk.zoom;
  const pxPerS = desk.speed * pxPerMm;
  const span = desk.width / pxPerS;
  const latest = Math.max(0, desk.recording.duration - span);
  const start = Math.min(latest, Math.max(0, desk.moment - span / 2));
  return { start, span, end: start + span, pxPerMm, pxPerS, pxPerMv: desk.gain * pxPerMm };
}

/** Puts the moment `t` (s) in the middle, as near as the recording's ends allow. */
export function goTo(desk, t) {
  desk.set({ moment: Math.min(desk.recording.duration, Math.max(0, t)) });
}

/** Moves the paper by seconds; at the ends it stops at once, so that the way back is no longer. */
export function pan(desk, seconds) {
  const { start, span } = windowOf(desk);
  const latest = Math.max(0, desk.recording.duration - span);
  goTo(desk, Math.min(latest, Math.max(0, start + seconds)) + span / 2);
}

/** Goes to the next larger (+1) or smaller (-1) scale, or with 0 back to true millimetres. */
export function zoomBy(desk, steps) {
  const at = Math.min(ZOOMS.length - 1, Math.max(0, ZOOMS.indexOf(desk.zoom) + steps));
  desk.set({ zoom: steps === 0 ? TRUE_SCALE : ZOOMS[at] });
}
