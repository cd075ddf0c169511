/** The sample beats that ship with the service: one button with a thumbnail each. */

import { getJson } from "./api.js";
import { CLASS_WORDS, classMark } from "./classes.js";
import { byId, el, plural } from "./dom.js";
import { drawThumbnail } from "./draw.js";

/** Fills the list and returns {fs, beats}; without samples it says so and returns null. */
export async function loadSamples(onChoose) {
  try {
    const file = await getJson("/static/samples.json");
    const samples = { fs: file.fs, beats: file.beats.map(toBeat) };
    byId("samples-note").textContent = `${plural(samples.beats.length, "real beat")} at ${file.fs} Hz. ${file.source ?? ""} Choose one, or classify all.`;
    byId("samples").append(...samples.beats.map((beat) => card(beat, onChoose)));
    drawThumbnails();
    new ResizeObserver(drawThumbnails).observe(byId("samples"));
    return samples;
  } catch {
    byId("samples-note").textContent = "The sample beats are not there. Paste beats or choose a file instead.";
    return null;
  }
}

function toBeat({ label, title, credit, signal, r_peak: rPeak, rr }) {
  return { label: label ?? null, title, credit, signal, rPeak: rPeak ?? null, rr: rr ?? null };
}

function card(beat, onChoose) {
  const canvas = el("canvas", { class: "thumb", "aria-hidden": "true" });
  canvas.beat = beat;
  const label = beat.label ? [classMark(beat.label), ` ${beat.label} ${CLASS_WORDS[beat.label] ?? ""}`] : ["no label"];
  const words = [
    el("span", { class: "sample-title" }, beat.title),
    el("span", { class: "sample-label" }, ...label),
    el("span", { class: "credit" }, beat.credit ?? ""),
  ];
  const button = el("button", { type: "button", class: "sample" }, canvas, ...words);
  button.addEventListener("click", () => onChoose(beat));
  return el("li", {}, button);
}

export function drawThumbnails() {
  for (const canvas of document.querySelectorAll("canvas.thumb")) {
    if (canvas.clientWidth > 0) drawThumbnail(canvas, canvas.beat.signal);
  }
}
