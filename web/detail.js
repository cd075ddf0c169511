/** The selected beat: its trace on ECG paper and its five probabilities. */

import { CLASSES, CLASS_WORDS, classMark } from "./classes.js";
import { byId, el, grouped, percent } from "./dom.js";
import { drawTrace } from "./draw.js";
import { showWhy } from "./why.js";

/** Returns {show(row), redraw()}; the drawing follows the window's width and the colour scheme. */
export function createDetail() {
  const canvas = byId("trace");
  let current = null;
  const redraw = () => {
    if (current === null || canvas.clientWidth === 0) return;
    byId("trace-note").textContent = [drawTrace(canvas, current), peakNote(current), current.credit].filter(Boolean).join(" ");
  };
  new ResizeObserver(redraw).observe(canvas.parentElement);
  const display = (row) => {
    current = row;
    byId("beat-title").replaceChildren(...heading(row));
    canvas.setAttribute("aria-label", describe(row));
    showBars(row.answer);
    showWhy(row.why);
    redraw();
  };
  return { show: display, redraw };
}

function heading(row) {
  const found = row.answer.aami_class;
  const title = row.title ? `${row.title}: ` : `Beat ${grouped(row.number)}: `;
  return [title, classMark(found), ` ${found} ${CLASS_WORDS[found] ?? ""}, ${percent(row.answer.confidence)}`];
}

function describe({ signal, fs, rPeak, unitKnown }) {
  const low = signal.reduce((a, b) => Math.min(a, b), Infinity).toFixed(2);
  const high = signal.reduce((a, b) => Math.max(a, b), -Infinity).toFixed(2);
  const unit = unitKnown ? " mV" : ", unit unknown";
  const peak = Number.isInteger(rPeak) ? `, R peak at ${(rPeak / fs).toFixed(2)} s` : "";
  return `Trace of the beat: ${(signal.length / fs).toFixed(2)} s long, from ${low} to ${high}${unit}${peak}.`;
}

const peakNote = ({ rPeak }) => (Number.isInteger(rPeak) ? "R marks the R peak that was given." : "");

/** The five probabilities of a beat as bars, in #bars. */
export function showBars({ proba, aami_class: found }) {
  const items = CLASSES.map((c) => bar(c, proba[c] ?? 0, c === found));
  byId("bars").replaceChildren(...items);
}

function bar(letter, p, chosen) {
  const fill = el("span", { class: `fill fill-${letter}` });
  fill.style.width = `${100 * Math.max(0, Math.min(1, p))}%`;
  const name = el("span", { class: "bar-name" }, classMark(letter), el("b", {}, ` ${letter} `), el("span", { class: "bar-words" }, CLASS_WORDS[letter]));
  const track = el("span", { class: "track", "aria-hidden": "true" }, fill);
  return el("li", { class: chosen ? "bar chosen" : "bar" }, name, track, el("span", { class: "num" }, percent(p)));
}
