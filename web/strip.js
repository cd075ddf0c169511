/**
 * Draws a strip of ECG paper: 1 mm is 0.04 s at 25 mm/s and 0.1 mV at 10 mm/mV, a heavier line every fifth.
 * A strip is {width, height, pulseWidth, top, start, pxPerMm, pxPerS, pxPerMv, zero, sign, trace, duration}, in CSS px, s and mV.
 */

import { extremes } from "./pyramid.js";
import { FINEST_PX, rule, write } from "./pen.js";

const PULSE_S = 0.2;
const LABEL_PX = 64; // Nearer than this, times on the axis would run into each other.

/** Where things are on the strip; `from` holds what the reader or the printed page sets. */
export function layOutStrip({ width, top, mm, start, speed, gain, pxPerMm, sign, lift = 0, recording }) {
  const { trace, duration } = recording;
  const pulseMm = Math.ceil((speed * PULSE_S) / 5) * 5 + 5;
  const pulseWidth = pulseMm * pxPerMm;
  const [low, high] = sign > 0 ? [trace.low, trace.high] : [-trace.high, -trace.low];
  // Zero lies on a heavy line, with the usual range in the middle of the paper.
  const zeroMm = Math.round((mm / 2 + ((low + high) / 2) * gain) / 5) * 5 - lift;
  const strip = { width, top, mm, height: top + mm * pxPerMm, pulseWidth, pulseMm, start, pxPerMm, pxPerS: speed * pxPerMm, pxPerMv: gain * pxPerMm };
  return { ...strip, speed, gain, zero: top + zeroMm * pxPerMm, sign, trace, duration, toScale: recording.record.unit !== null };
}

export const xOf = (strip, t) => strip.pulseWidth + (t - strip.start) * strip.pxPerS;
export const yOf = (strip, mv) => strip.zero - mv * strip.pxPerMv;
export const timeAt = (strip, x) => strip.start + (x - strip.pulseWidth) / strip.pxPerS;
export const mvAt = (strip, y) => (strip.zero - y) / strip.pxPerMv;

/** The millimetres of paper, in heavy boxes, that the usual range of a trace wants; between `least` and `most`. */
export function paperMm({ trace }, gain, least, most) {
  const wanted = Math.ceil(((trace.high - trace.low) * gain) / 5) * 5 + 15;
  return Math.max(Math.ceil(least / 5) * 5, Math.min(Math.floor(most / 5) * 5, wanted));
}

/** Paper: the grid of the trace moves with time; that of the calibration pulse stands still. */
export function drawGrid(pen, strip, ink) {
  const { width, height, top, pulseWidth, pxPerMm } = strip;
  pen.fillStyle = ink.paper;
  pen.fillRect(0, top, width, height - top);
  const right = Math.min(width, xOf(strip, strip.duration));
  for (const [everyMm, colour] of [[1, ink.small], [5, ink.large]]) {
    const step = everyMm * pxPerMm;
    if (step < FINEST_PX) continue;
    rule(pen, [...uprights(strip, step, right), ...stillUprights(strip, step), ...levels(strip, step)], colour);
  }
  if (right < width) fadeEnd(pen, strip, right, ink);
  rule(pen, [[pulseWidth, top, pulseWidth, height]], ink.text);
}

function uprights({ pulseWidth, start, pxPerS, top, height }, step, right) {
  const lines = [];
  const first = Math.ceil((start * pxPerS) / step - 1e-6);
  for (let i = first; ; i += 1) {
    const x = pulseWidth + i * step - start * pxPerS;
    if (x > right + 0.5) return lines;
    lines.push([x, top, x, height]);
  }
}

function stillUprights({ pulseWidth, top, height }, step) {
  return Array.from({ length: Math.floor(pulseWidth / step + 1e-6) }, (_, i) => [i * step, top, i * step, height]);
}

function levels({ top, height, width }, step) {
  return Array.from({ length: Math.floor((height - top) / step + 1e-6) + 1 }, (_, i) => [0, top + i * step, width, top + i * step]);
}

function fadeEnd(pen, { top, height, width }, right, ink) {
  pen.fillStyle = ink.card;
  pen.fillRect(right + 1, top, width - right, height - top);
}

/** The calibration pulse: 1 mV high and 0.2 s long, on the paper's own lines. */
export function drawPulse(pen, strip, ink) {
  const { top, mm, pxPerMm, speed, gain, pulseMm, toScale } = strip;
  const long = speed * PULSE_S;
  const high = toScale ? gain : 0;
  const lead = (pulseMm - long) / 2;
  const foot = Math.round((mm + high) / 2 / 5) * 5;
  const points = [[lead - 1.5, 0], [lead, 0], [lead, high], [lead + long, high], [lead + long, 0], [lead + long + 1.5, 0]];
  startLine(pen, ink.trace);
  for (const [x, y] of points) pen.lineTo(x * pxPerMm, top + (foot - y) * pxPerMm);
  pen.stroke();
}

function startLine(pen, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  pen.lineCap = "butt";
  pen.beginPath();
}

/** The trace: through every sample where they are few, else from lowest to highest in each device pixel. */
export function drawTrace(pen, strip, ink) {
  const { trace, top, height, width, pulseWidth, pxPerS } = strip;
  const ratio = pen.getTransform().a;
  pen.save();
  pen.beginPath();
  pen.rect(pulseWidth, top, width - pulseWidth, height - top);
  pen.clip();
  startLine(pen, ink.trace);
  if (trace.fs / (pxPerS * ratio) <= 2) throughSamples(pen, strip);
  else throughColumns(pen, strip, 1 / ratio);
  pen.stroke();
  pen.restore();
}

function throughSamples(pen, strip) {
  const { trace, sign, width } = strip;
  const { samples, missing, fs, scale } = trace;
  const from = Math.max(0, Math.floor(strip.start * fs) - 1);
  const to = Math.min(samples.length, Math.ceil(timeAt(strip, width) * fs) + 2);
  let broken = true;
  for (let i = from; i < to; i += 1) {
    if (samples[i] === missing) {
      broken = true;
      continue;
    }
    const [x, y] = [xOf(strip, i / fs), yOf(strip, sign * samples[i] * scale)];
    if (broken) pen.moveTo(x, y);
    else pen.lineTo(x, y);
    broken = false;
  }
}

function throughColumns(pen, strip, pixel) {
  const { trace, sign, width, pulseWidth } = strip;
  const found = [0, 0];
  let broken = true;
  for (let x = pulseWidth; x < width; x += pixel) {
    const from = Math.floor(timeAt(strip, x) * trace.fs);
    // One sample more than the column has: the next one starts where this one ends.
    const [low, high] = extremes(trace.pyramid, from, Math.floor(timeAt(strip, x + pixel) * trace.fs) + 1, found);
    if (low > high) {
      broken = true;
      continue;
    }
    const [y0, y1] = [yOf(strip, sign * trace.scale * low), yOf(strip, sign * trace.scale * high)];
    if (broken) pen.moveTo(x, y0);
    else pen.lineTo(x, y0);
    pen.lineTo(x, y1);
    broken = false;
  }
}

/** Times along the lower edge, at heavy lines; and the scale, as printed strips have it. */
export function drawAxis(pen, strip, ink, clock) {
  const { width, height, pxPerS, duration, start, speed, gain, toScale } = strip;
  const scale = toScale ? `${speed} mm/s · ${gain} mm/mV` : `${speed} mm/s · unit unknown, height not to scale`;
  pen.font = "600 12px system-ui, sans-serif";
  const scaleStart = width - 14 - pen.measureText(scale).width;
  const every = [1, 2, 5, 10, 30, 60].find((s) => s * pxPerS >= LABEL_PX) ?? 300;
  for (let i = Math.ceil(start / every); i * every <= duration; i += 1) {
    const x = xOf(strip, i * every);
    if (x > scaleStart - 44) break;
    write(pen, clock(i * every, 0), x + 3, height - 6, ink.text, ink.paper);
  }
  write(pen, scale, width - 6, height - 6, ink.text, ink.paper, "end");
}
