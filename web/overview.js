/** The whole recording as a band: a lane for each class, one for quality, and a window to drag. */

import { CLASSES } from "./classes.js";
import { goTo, pan, windowOf } from "./desk.js";
import { byId } from "./dom.js";
import { hatch, stretches } from "./marks.js";
import { inks, preparePen } from "./pen.js";
import { clock } from "./recording.js";
import { drawRhythm } from "./rhythm.js";

const LANE = 13;
const GUTTER = 22; // As in recordings.css: the window moves right of it.
const NARROWEST_PX = 14;

/** Sets up the band and its window. */
export function createOverview(desk) {
  const canvas = byId("overview");
  const handle = byId("window");
  const draw = () => {
    if (desk.recording?.onPaper && canvas.clientWidth > 0) drawBand(canvas, desk);
  };
  const place = () => {
    if (desk.recording?.onPaper && canvas.clientWidth > 0) placeWindow(handle, canvas.clientWidth, desk);
  };
  desk.on(["recording"], () => canvas.setAttribute("aria-label", lanesOf(desk.recording)));
  desk.on(["recording", "labels", "theme"], draw);
  desk.on(["recording", "moment", "width", "speed", "zoom"], place);
  new ResizeObserver(() => {
    draw();
    place();
  }).observe(canvas);
  setUpPointer(byId("band"), canvas, desk);
  handle.addEventListener("keydown", (event) => moveByKey(desk, event));
}

/** The lanes in words; what the lane of the rhythm shows, the figures list. */
function lanesOf({ rhythm }) {
  const told = rhythm ? ", one (R) for the rhythm, which the figures list" : "";
  return `Overview of the whole recording: one lane for each class, one (~) for noisy or unusable signal${told}`;
}

function drawBand(canvas, desk) {
  const width = canvas.clientWidth;
  const lanes = CLASSES.length + (desk.recording.rhythm ? 2 : 1);
  const pen = preparePen(canvas, width, LANE * lanes);
  const ink = inks(canvas);
  const plot = width - GUTTER;
  pen.font = "700 11px system-ui, sans-serif";
  CLASSES.forEach((letter, lane) => {
    pen.fillStyle = ink[letter];
    pen.fillText(letter, 6, lane * LANE + 10.5);
    pen.fillStyle = ink.line;
    pen.fillRect(GUTTER, (lane + 1) * LANE - 1, plot, 1);
  });
  drawBeats(pen, plot, ink, desk);
  drawBadSignal(pen, plot, ink, desk.recording);
  if (desk.recording.rhythm) {
    pen.fillStyle = ink.line;
    pen.fillRect(GUTTER, LANE * (lanes - 1) - 1, plot, 1);
    pen.fillStyle = ink.soft;
    pen.fillText("R", 6, LANE * lanes - 2.5);
    drawRhythm(pen, [GUTTER, LANE * (lanes - 1) + 1, plot, LANE - 2], ink, desk.recording);
  }
}

/** A stroke for each pixel with beats of a class; where pixels hold many, its height tells how many. */
function drawBeats(pen, plot, ink, { recording, review }) {
  const counts = columnCounts(Math.ceil(plot), recording, review);
  CLASSES.forEach((letter, lane) => {
    const most = counts[lane].reduce((a, n) => Math.max(a, n), 1);
    pen.fillStyle = ink[letter];
    counts[lane].forEach((n, x) => {
      if (n === 0) return;
      const height = (LANE - 3) * (most === 1 ? 1 : 0.3 + (0.7 * n) / most);
      // Two pixels wide where beats are few, so that a single one in an hour can be seen.
      pen.fillRect(GUTTER + x, (lane + 1) * LANE - 1 - height, most === 1 && letter !== "N" ? 2 : 1, height);
    });
  });
}

function columnCounts(columns, { beats, duration }, review) {
  const counts = CLASSES.map(() => new Uint16Array(columns));
  for (let i = 0; i < beats.count; i += 1) {
    const x = Math.min(columns - 1, Math.floor((beats.timeS[i] / duration) * columns));
    counts[CLASSES.indexOf(review.letter(i))][x] += 1;
  }
  return counts;
}

function drawBadSignal(pen, plot, ink, { quality, duration }) {
  const top = LANE * CLASSES.length;
  pen.fillStyle = ink.soft;
  pen.fillText("~", 7, top + 11);
  if (!quality) return;
  for (const { from, to, level } of stretches(quality)) {
    const x = GUTTER + (from / duration) * plot;
    const width = Math.max(2, ((Math.min(to, duration) - from) / duration) * plot);
    hatch(pen, [x, top + 1, width, LANE - 2], level, ink, level === "unusable" ? 4 : 7);
  }
}

function placeWindow(handle, width, desk) {
  const { start, end } = windowOf(desk);
  const { duration } = desk.recording;
  const plot = width - GUTTER;
  const shown = (Math.min(end, duration) - start) / duration;
  const wide = Math.max(NARROWEST_PX, shown * plot);
  const centre = (((start + Math.min(end, duration)) / 2) / duration) * plot;
  handle.style.width = `${wide}px`;
  handle.style.transform = `translateX(${Math.min(plot - wide, Math.max(0, centre - wide / 2))}px)`;
  handle.setAttribute("aria-valuemax", Math.floor(duration));
  handle.setAttribute("aria-valuenow", Math.round(Math.min(duration, desk.moment)));
  handle.setAttribute("aria-valuetext", `${clock(start, 0)} to ${clock(Math.min(end, duration), 0)} of ${clock(duration, 0)}`);
}

/** A press anywhere on the band goes there; from then on the window follows the pointer. */
function setUpPointer(band, canvas, desk) {
  let grip = null;
  const at = (event) => ((event.clientX - canvas.getBoundingClientRect().left - GUTTER) / (canvas.clientWidth - GUTTER)) * desk.recording.duration;
  band.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const { start, end } = windowOf(desk);
    const t = at(event);
    // Inside the window the distance to its middle stays; elsewhere the middle jumps to the pointer.
    const onWindow = event.target.id === "window" || (t >= start && t <= end);
    grip = onWindow ? t - (start + end) / 2 : 0;
    goTo(desk, t - grip);
    band.setPointerCapture(event.pointerId);
  });
  band.addEventListener("pointermove", (event) => {
    if (grip !== null) goTo(desk, at(event) - grip);
  });
  for (const name of ["pointerup", "pointercancel"]) band.addEventListener(name, () => (grip = null));
}

/** The keys of a slider. */
function moveByKey(desk, event) {
  const { span } = windowOf(desk);
  const tenth = Math.max(span / 2, desk.recording.duration / 10);
  const steps = { ArrowRight: span / 2, ArrowUp: span / 2, ArrowLeft: -span / 2, ArrowDown: -span / 2, PageUp: tenth, PageDown: -tenth, Home: -Infinity, End: Infinity };
  if (!(event.key in steps)) return;
  event.preventDefault();
  event.stopPropagation();
  pan(desk, steps[event.key]);
}
