/** The tachogram: each interval between beats over time, with gaps where an interval is missing. */

import { CLASSES, classPath } from "./classes.js";
import { windowOf } from "./desk.js";
import { byId } from "./dom.js";
import { inks, preparePen, rule, write } from "./pen.js";
import { clock, firstFrom, nearestBeat } from "./recording.js";
import { selectBeat } from "./stepping.js";

const HEIGHT = 132;
const GUTTER = 46;
const FOOT = 18;
const DENSE = 4; // Beats a pixel from which on only the range in each pixel is drawn.
const MARKS = 1500; // Beyond this many other beats in view, shapes would cover the line.

/** Sets up the drawing and the choice of how much of the recording it shows. */
export function createTachogram(desk) {
  const canvas = byId("tachogram");
  const state = { plot: null };
  const draw = () => {
    if (!desk.recording?.onPaper || canvas.clientWidth === 0) return;
    state.plot = layOut(canvas.clientWidth, desk);
    drawAll(canvas, state.plot, desk);
    placeShown(state.plot, desk);
  };
  const follow = () => {
    if (state.plot === null || !desk.recording?.onPaper) return;
    // While all of a recording is in view only the shown stretch moves, over what is drawn already.
    if (startOf(desk, state.plot.span) === state.plot.start) placeShown(state.plot, desk);
    else draw();
  };
  desk.on(["recording", "labels", "selected", "theme"], draw);
  desk.on(["moment", "width", "speed", "zoom"], follow);
  byId("tachogram-span").addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);
  canvas.addEventListener("click", (event) => {
    const { start, span, plot } = state.plot;
    const t = start + ((event.offsetX - GUTTER) / plot) * span;
    selectBeat(desk, nearestBeat(desk.recording.beats, t));
  });
}

function layOut(width, desk) {
  const { duration, beats } = desk.recording;
  const wanted = Number(byId("tachogram-span").value);
  const span = wanted > 0 ? Math.min(wanted, duration) : duration;
  const start = startOf(desk, span);
  const first = firstFrom(beats.timeS, start);
  const last = firstFrom(beats.timeS, start + span);
  const plot = width - GUTTER;
  const [low, high] = rangeOf(beats.rr, first, last);
  const x = (t) => GUTTER + ((t - start) / span) * plot;
  const y = (rr) => 6 + ((high - Math.min(high, Math.max(low, rr))) / (high - low)) * (HEIGHT - FOOT - 12);
  return { width, plot, start, span, first, last, low, high, x, y };
}

const startOf = ({ recording, moment }, span) => Math.min(recording.duration - span, Math.max(0, moment - span / 2));

/** From 0.1 s below the shortest to above the longest usual interval, on tenths of a second. */
function rangeOf(rr, first, last) {
  const some = [];
  const step = Math.max(1, Math.floor((last - first) / 5000));
  for (let i = first; i < last; i += step) if (rr[i] !== null) some.push(rr[i]);
  if (some.length === 0) return [0.4, 1.4];
  some.sort((a, b) => a - b);
  const low = Math.floor(10 * some[Math.floor(0.002 * some.length)]) / 10;
  const high = Math.ceil(10 * some[Math.ceil(0.998 * (some.length - 1))]) / 10;
  return [Math.max(0, low - 0.1), Math.max(low + 0.4, high + 0.1)];
}

function drawAll(canvas, view, desk) {
  const pen = preparePen(canvas, view.width, HEIGHT);
  const ink = inks(canvas);
  drawScale(pen, view, ink);
  pen.strokeStyle = ink.trace;
  pen.lineWidth = 1;
  pen.beginPath();
  const dense = (view.last - view.first) / view.plot > DENSE;
  if (dense) throughRanges(pen, view, desk.recording.beats);
  else throughBeats(pen, view, desk.recording.beats);
  pen.stroke();
  if (!dense) drawShapes(pen, view, ink, desk);
  const { rr, timeS } = desk.recording.beats;
  if (rr[desk.selected] != null) ring(pen, view.x(timeS[desk.selected]), view.y(rr[desk.selected]), ink.focus);
}

function drawScale(pen, { width, low, high, start, span, x, y }, ink) {
  const step = [0.1, 0.2, 0.5, 1, 2].find((s) => (high - low) / s <= 5) ?? 5;
  for (let rr = Math.ceil(low / step) * step; rr <= high + 1e-9; rr += step) {
    rule(pen, [[GUTTER, y(rr), width, y(rr)]], ink.line);
    write(pen, `${rr.toFixed(1)} s`, GUTTER - 6, y(rr) + 4, ink.soft, ink.card, "end");
  }
  const every = [5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400].find((s) => (s / span) * (width - GUTTER) >= 70) ?? 28800;
  for (let i = Math.ceil(start / every); i * every <= start + span; i += 1) {
    if (x(i * every) < width - 50) write(pen, clock(i * every, 0), x(i * every) + 2, HEIGHT - 4, ink.soft, ink.card);
  }
}

/** The stretch that is on the paper. */
function placeShown({ x, width }, desk) {
  const { start, end } = windowOf(desk);
  const left = Math.max(GUTTER, x(start));
  const { style } = byId("tachogram-shown");
  style.width = `${Math.max(3, Math.min(width, x(end)) - left)}px`;
  style.transform = `translateX(${left}px)`;
}

function throughBeats(pen, { first, last, x, y }, { rr, timeS }) {
  for (let i = first; i < last; i += 1) {
    if (rr[i] === null) continue;
    if (i > first && rr[i - 1] !== null) pen.lineTo(x(timeS[i]), y(rr[i]));
    else pen.moveTo(x(timeS[i]), y(rr[i]));
  }
}

function throughRanges(pen, { first, last, plot, x, y }, { rr, timeS }) {
  let [at, low, high] = [-1, Infinity, -Infinity];
  const put = () => {
    if (low > high) return;
    pen.moveTo(at + 0.5, y(high) - 0.5);
    pen.lineTo(at + 0.5, y(low) + 0.5);
  };
  for (let i = first; i < last && at <= plot + GUTTER; i += 1) {
    const column = Math.floor(x(timeS[i]));
    if (column !== at) {
      put();
      [at, low, high] = [column, Infinity, -Infinity];
    }
    if (rr[i] === null) continue;
    if (rr[i] < low) low = rr[i];
    if (rr[i] > high) high = rr[i];
  }
  put();
}

/** The shape of every beat that is not N, at its interval. */
function drawShapes(pen, { first, last, x, y }, ink, { recording, review }) {
  const { rr, timeS } = recording.beats;
  let drawn = 0;
  for (let i = first; i < last && drawn < MARKS; i += 1) {
    const letter = review.letter(i);
    if (rr[i] === null || letter === CLASSES[0]) continue;
    drawn += 1;
    pen.save();
    pen.translate(x(timeS[i]) - 4, y(rr[i]) - 4);
    pen.scale(0.5, 0.5);
    pen.fillStyle = ink[letter];
    pen.fill(classPath(letter));
    pen.restore();
  }
}

function ring(pen, x, y, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 6, 0, 2 * Math.PI);
  pen.stroke();
}
