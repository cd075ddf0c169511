/** Draws one beat on ECG paper: small boxes of 0.04 s by 0.1 mV, a heavier line every fifth. */

import { FINEST_PX, inks, preparePen, rule, write } from "./pen.js";

const SMALL_S = 0.04;
const SMALL_MV = 0.1;
const MAX_HEIGHT = 360;
const MIN_HEIGHT = 180;

/** Draws {signal, fs, rPeak, unitKnown} and returns a sentence about the paper. */
export function drawTrace(canvas, beat) {
  const view = layOut(canvas.clientWidth, beat);
  const pen = preparePen(canvas, view.width, view.height);
  const ink = inks(canvas);
  drawPaper(pen, view, ink);
  drawLine(pen, beat.signal, view, ink);
  if (Number.isInteger(beat.rPeak)) drawPeak(pen, view.x(beat.rPeak / beat.fs), view, ink);
  drawScales(pen, view, ink);
  return paperNote(view);
}

/** A thumbnail: the line only. */
export function drawThumbnail(canvas, signal) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [low, high] = extent(signal);
  const view = {
    fs: 1,
    x: (i) => 3 + (i * (width - 6)) / Math.max(1, signal.length - 1),
    y: (v) => height - 5 - ((v - low) * (height - 10)) / (high - low || 1),
  };
  drawLine(preparePen(canvas, width, height), signal, view, inks(canvas));
}

function extent(signal) {
  return signal.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
}

/** Scales of the drawing: square boxes where they fit, flatter ones where the beat is too tall. */
function layOut(width, { signal, fs, unitKnown }) {
  const seconds = signal.length / fs;
  const boxX = (width * SMALL_S) / seconds;
  const [low, high] = extent(signal);
  const step = unitKnown ? 5 * SMALL_MV : (high - low || 1) / 6;
  const bottom = Math.floor(low / step - 0.2) * step;
  const top = Math.ceil(high / step + 0.2) * step;
  const wanted = unitKnown ? ((top - bottom) / SMALL_MV) * boxX : MIN_HEIGHT * 1.4;
  const height = Math.round(Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, wanted)));
  const perUnit = height / (top - bottom);
  const x = (t) => (t * width) / seconds;
  const y = (v) => height - (v - bottom) * perUnit;
  return { width, height, seconds, fs, bottom, top, boxX, boxY: SMALL_MV * perUnit, x, y, unitKnown };
}

function drawPaper(pen, view, ink) {
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, view.width, view.height);
  const fineY = view.unitKnown && view.boxY >= FINEST_PX;
  if (view.boxX >= FINEST_PX) rule(pen, uprights(view, SMALL_S), ink.small);
  if (fineY) rule(pen, levels(view, SMALL_MV), ink.small);
  if (view.boxX * 5 >= FINEST_PX) rule(pen, uprights(view, 5 * SMALL_S), ink.large);
  if (view.unitKnown && view.boxY * 5 >= FINEST_PX) rule(pen, levels(view, 5 * SMALL_MV), ink.large);
}

function uprights({ x, seconds, height }, step) {
  const count = Math.floor(seconds / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, i) => [x(i * step), 0, x(i * step), height]);
}

function levels({ y, bottom, top, width }, step) {
  const count = Math.round((top - bottom) / step) + 1;
  return Array.from({ length: count }, (_, i) => [0, y(bottom + i * step), width, y(bottom + i * step)]);
}

function drawLine(pen, signal, { x, y, fs }, ink) {
  pen.strokeStyle = ink.trace;
  pen.lineWidth = 1.8;
  pen.lineJoin = "round";
  pen.beginPath();
  signal.forEach((v, i) => pen.lineTo(x(i / fs), y(v)));
  pen.stroke();
}

function drawPeak(pen, x, view, ink) {
  pen.strokeStyle = pen.fillStyle = ink.peak;
  pen.setLineDash([5, 4]);
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x, 22);
  pen.lineTo(x, view.height);
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x - 6, 12);
  pen.lineTo(x + 6, 12);
  pen.lineTo(x, 22);
  pen.fill();
  write(pen, "R", Math.min(x + 9, view.width - 14), 20, ink.peak, ink.paper);
}

function drawScales(pen, view, ink) {
  const every = [0.2, 0.4, 1, 2].find((s) => (view.width * s) / view.seconds >= 52) ?? 5;
  for (let i = 1; i * every < view.seconds - every / 3; i += 1) {
    const text = `${(i * every).toFixed(1)} s`;
    write(pen, text, view.x(i * every) + 3, view.height - 5, ink.text, ink.paper);
  }
  if (view.unitKnown) drawLevels(pen, view, ink);
}

function drawLevels(pen, { y, bottom, top }, ink) {
  const every = [0.5, 1, 2, 5, 10, 50, 100].find((v) => y(0) - y(v) >= 26) ?? 1000;
  for (let v = Math.ceil(bottom / every) * every; v < top; v += every) {
    if (y(v) > 16 && y(v) < y(bottom) - 22) write(pen, `${v.toFixed(1)} mV`, 4, y(v) - 3, ink.text, ink.paper);
  }
}

function paperNote({ boxX, boxY, unitKnown }) {
  if (!unitKnown) return "Heavy lines every 0.2 s. The unit is unknown, so the height is not to scale.";
  const large = "heavy lines every 0.2 s and 0.5 mV";
  const fine = Math.min(boxX, boxY) >= FINEST_PX;
  return fine ? `Small boxes 0.04 s by 0.1 mV, ${large}.` : `ECG paper: ${large} where they fit.`;
}
