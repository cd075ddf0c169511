/** All beats of one class on top of each other, and their median beat. */

import { CLASSES, CLASS_WORDS, classMark } from "./classes.js";
import { byId, el, plural } from "./dom.js";
import { inks, preparePen, rule, write } from "./pen.js";

const [BEFORE_S, AFTER_S] = [0.3, 0.5];
const HEIGHT = 300;
const MOST = 400; // Lines drawn, and beats the median is taken of; the note says so.
const BOX_MV = 0.5;
const BOX_S = 0.2;

/** Sets up the choice of class and the drawing. */
export function createOverlay(desk) {
  const canvas = byId("overlay");
  const state = { letter: "N", width: 0 };
  const draw = () => {
    state.width = canvas.clientWidth;
    if (desk.recording?.onPaper && state.width > 0) drawClass(canvas, desk, state.letter);
  };
  const choose = (letter) => {
    state.letter = letter;
    for (const button of byId("overlay-classes").children) button.setAttribute("aria-pressed", String(button.value === letter));
    draw();
  };
  byId("overlay-classes").replaceChildren(...CLASSES.map((letter) => classButton(letter, choose)));
  desk.on(["recording", "labels"], () => {
    if (desk.recording.onPaper) offer(desk, state, choose);
  });
  desk.on(["filter"], () => CLASSES.includes(desk.filter) && choose(desk.filter));
  desk.on(["selected"], () => {
    const letter = desk.selected < 0 ? state.letter : desk.review.letter(desk.selected);
    if (letter !== state.letter) choose(letter);
  });
  desk.on(["theme", "upright"], draw);
  new ResizeObserver(() => canvas.clientWidth !== state.width && draw()).observe(canvas);
}

function classButton(letter, choose) {
  const button = el("button", { type: "button", value: letter, title: CLASS_WORDS[letter], "aria-pressed": "false" }, classMark(letter), ` ${letter}`);
  button.addEventListener("click", () => choose(letter));
  return button;
}

/** Only classes that have beats can be chosen. */
function offer(desk, state, choose) {
  const counts = desk.review.counts();
  for (const button of byId("overlay-classes").children) button.disabled = counts[button.value] === 0;
  choose(counts[state.letter] > 0 ? state.letter : (CLASSES.find((c) => counts[c] > 0) ?? "N"));
}

function drawClass(canvas, desk, letter) {
  const { beats, some, all } = cuts(desk, letter);
  const ink = inks(canvas);
  const pen = preparePen(canvas, canvas.clientWidth, HEIGHT);
  const view = layOut(canvas.clientWidth, beats);
  drawPaper(pen, view, ink);
  pen.lineJoin = "round";
  pen.globalAlpha = Math.max(0.06, Math.min(0.5, 12 / Math.max(1, some)));
  for (const beat of beats) drawBeat(pen, beat, view, ink.trace, 1);
  pen.globalAlpha = 1;
  if (some > 0) drawBeat(pen, medianOf(beats), view, ink[letter], 2.5);
  const unit = desk.recording.record.unit === null ? "unit unknown, height not to scale" : `by ${BOX_MV} mV`;
  const which = some < all ? `${plural(some, "beat")} evenly taken from ${plural(all, `${letter} beat`)}` : plural(all, `${letter} beat`);
  const words = `${which} and the median beat (thick). Each beat's own median is zero. Boxes ${BOX_S} s ${unit}.`;
  byId("overlay-note").textContent = words;
  canvas.setAttribute("aria-label", `Overlay: ${words}`);
}

/** Up to MOST beats of a class, evenly spaced, each about its R peak in mV; NaN where samples are missing. */
function cuts(desk, letter) {
  const { trace, beats, record } = desk.recording;
  const indices = [];
  for (let i = 0; i < beats.count; i += 1) if (desk.review.letter(i) === letter) indices.push(i);
  const some = Math.min(MOST, indices.length);
  const sign = record.inverted && desk.upright ? -1 : 1;
  const [before, length] = [Math.round(BEFORE_S * trace.fs), Math.round((BEFORE_S + AFTER_S) * trace.fs)];
  const taken = Array.from({ length: some }, (_, k) => {
    const from = Math.round(beats.timeS[indices[Math.floor((k * indices.length) / some)]] * trace.fs) - before;
    return cut(trace, from, length, sign);
  });
  return { beats: taken, some, all: indices.length };
}

function cut({ samples, missing, scale }, from, length, sign) {
  const beat = Float32Array.from({ length }, (_, i) => {
    const value = samples[from + i];
    return value === undefined || value === missing ? NaN : sign * value * scale;
  });
  const level = median(beat.filter((v) => !Number.isNaN(v)));
  return beat.map((v) => v - level);
}

function median(values) {
  return values.length === 0 ? NaN : Float32Array.from(values).sort()[values.length >> 1];
}

function medianOf(beats) {
  return beats[0].map((_, i) => median(beats.map((beat) => beat[i]).filter((v) => !Number.isNaN(v))));
}

function layOut(width, beats) {
  const low = quantile(beats.map((b) => b.reduce((a, v) => (v < a ? v : a), 0)), 0.02);
  const high = quantile(beats.map((b) => b.reduce((a, v) => (v > a ? v : a), 0)), 0.98);
  const bottom = Math.floor(low / BOX_MV - 0.2) * BOX_MV;
  const top = Math.ceil(high / BOX_MV + 0.2) * BOX_MV;
  return { width, bottom, top, x: (s) => ((s + BEFORE_S) / (BEFORE_S + AFTER_S)) * width, y: (v) => HEIGHT - ((v - bottom) / (top - bottom)) * HEIGHT };
}

function quantile(values, share) {
  return values.length === 0 ? share - 0.5 : values.sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];
}

function drawPaper(pen, { width, bottom, top, x, y }, ink) {
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, width, HEIGHT);
  const [columns, levels] = [[], []];
  for (let s = -BOX_S; s < AFTER_S; s += BOX_S) columns.push([x(s), 0, x(s), HEIGHT]);
  for (let v = bottom; v <= top; v += BOX_MV) levels.push([0, y(v), width, y(v)]);
  rule(pen, [...columns, ...levels], ink.large);
  write(pen, "R", x(0) + 4, HEIGHT - 6, ink.text, ink.paper);
}

function drawBeat(pen, beat, { x, y }, colour, width) {
  const step = (BEFORE_S + AFTER_S) / beat.length;
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  let broken = true;
  beat.forEach((v, i) => {
    if (Number.isNaN(v)) broken = true;
    else if (broken) pen.moveTo(x(i * step - BEFORE_S), y(v));
    else pen.lineTo(x(i * step - BEFORE_S), y(v));
    broken = Number.isNaN(v);
  });
  pen.stroke();
}
