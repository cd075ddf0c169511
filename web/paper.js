/** The paper: the canvas in the middle of the page, drawn anew whenever the desk says so. */

import { byId } from "./dom.js";
import { drawCaliper } from "./caliper.js";
import { MM_PX, windowOf } from "./desk.js";
import { LANE_PX, drawMarks, drawQuality, drawReasons, inWords, stretches } from "./marks.js";
import { inks, preparePen } from "./pen.js";
import { clock, firstFrom } from "./recording.js";
import { rhythmBetween } from "./rhythm.js";
import { lets } from "./stepping.js";
import { drawAxis, drawGrid, drawPulse, drawTrace, layOutStrip, paperMm } from "./strip.js";

const [LOWEST_PX, HIGHEST_PX] = [190, 600];
const DRAWN_FROM = ["recording", "width", "moment", "speed", "gain", "zoom", "lift", "upright", "selected", "filter", "labels", "caliper", "theme"];

/** Sets up the canvas; returns {strip()}: where things are on the paper now. */
export function createPaper(desk) {
  const canvas = byId("paper");
  const state = { ink: null, strip: null };

  const measure = () => {
    if (!desk.recording?.onPaper || canvas.clientWidth === 0) return;
    const { pulseWidth } = stripOf(desk, canvas.clientWidth);
    desk.set({ width: Math.max(1, canvas.clientWidth - pulseWidth) });
  };
  const draw = () => {
    if (!desk.recording?.onPaper || canvas.clientWidth === 0) return;
    state.ink ??= inks(canvas);
    state.strip = stripOf(desk, canvas.clientWidth);
    drawPaper(canvas, state.strip, state.ink, desk);
  };

  desk.on(["theme"], () => (state.ink = null));
  desk.on(["recording", "speed", "zoom"], measure);
  desk.on(DRAWN_FROM, draw);
  desk.on(["recording", "moment", "width", "labels"], () => describe(canvas, desk));
  new ResizeObserver(measure).observe(canvas);
  return { strip: () => state.strip };
}

/** The strip that the desk's scales make, at a width in CSS px. */
function stripOf(desk, width) {
  const { recording, speed, gain, zoom, lift, upright } = desk;
  const { start, pxPerMm } = windowOf(desk);
  const mm = paperMm(recording, gain, LOWEST_PX / (MM_PX * zoom), HIGHEST_PX / (MM_PX * zoom));
  const sign = recording.record.inverted && upright ? -1 : 1;
  return layOutStrip({ width, top: LANE_PX, mm, start, speed, gain, pxPerMm, sign, lift, recording });
}

function drawPaper(canvas, strip, ink, desk) {
  const { recording, review, filter, selected, caliper } = desk;
  const pen = preparePen(canvas, strip.width, strip.height);
  canvas.dataset.pxPerMm = strip.pxPerMm.toFixed(4);
  drawGrid(pen, strip, ink);
  drawQuality(pen, strip, ink, recording.quality);
  drawMarks(pen, strip, ink, { recording, review, filter, selected, lets: lets(desk, filter) });
  drawTrace(pen, strip, ink);
  drawReasons(pen, strip, ink, recording.quality);
  drawPulse(pen, strip, ink);
  drawAxis(pen, strip, ink, clock);
  if (caliper) drawCaliper(pen, strip, ink, caliper);
}

/** What is on the paper, in words. */
function describe(canvas, desk) {
  if (!desk.recording?.onPaper) {
    for (const id of ["shown-rhythm", "shown-quality"]) byId(id).textContent = "";
    return;
  }
  const { start, end } = windowOf(desk);
  const { timeS } = desk.recording.beats;
  const counts = {};
  for (let i = firstFrom(timeS, start); i < timeS.length && timeS[i] <= end; i += 1) {
    const letter = desk.review.letter(i);
    counts[letter] = (counts[letter] ?? 0) + 1;
  }
  const shown = `${clock(start)} to ${clock(Math.min(end, desk.recording.duration))}`;
  const bad = badSignal(desk.recording, start, end);
  const rhythm = rhythmBetween(desk.recording.rhythm, start, end);
  byId("shown").textContent = shown;
  byId("shown-rhythm").textContent = rhythm;
  byId("shown-quality").textContent = bad;
  canvas.setAttribute("aria-label", [`ECG paper, ${shown}. Beats shown: ${inWords(counts) || "none"}`, rhythm, bad].filter(Boolean).join(". "));
}

/** "Signal noisy (unsteady shape)": what is hatched between two moments, or nothing. */
function badSignal({ quality }, start, end) {
  if (!quality) return "";
  const kinds = stretches(quality, start, end).map(({ level, reason }) => (reason ? `${level} (${reason})` : level));
  return kinds.length > 0 ? `Signal ${[...new Set(kinds)].join(", ")}` : "";
}
