/** The printed report: one page with the facts, the figures, and strips about the moment at true millimetres. */

import { CLASSES, CLASS_WORDS, classMark } from "./classes.js";
import { MM_PX, windowOf } from "./desk.js";
import { byId, el, grouped, plural } from "./dom.js";
import { groupsOf, headerOf, pairs } from "./facts.js";
import { LANE_PX, drawMarks, drawQuality, drawReasons } from "./marks.js";
import { inks, preparePen } from "./pen.js";
import { clock } from "./recording.js";
import { rhythmBetween } from "./rhythm.js";
import { drawAxis, drawGrid, drawPulse, drawTrace, layOutStrip, paperMm } from "./strip.js";

const WIDTH_MM = 180; // A4 and US Letter with margins of 15 mm both hold it.
const [LEAST_MM, STRIP_MM] = [40, 50];
const STRIPS = 2;
const DOTS = 4; // Device px of a CSS px: 384 dots an inch.

/** Builds the report whenever the browser is about to print. */
export function setUpPrinting(desk) {
  const build = () => desk.recording && fill(desk);
  addEventListener("beforeprint", build);
  byId("print").addEventListener("click", () => print());
}

function fill(desk) {
  const { recording, review } = desk;
  byId("report-facts").replaceChildren(...pairs(headerOf(recording)));
  byId("report-counts").replaceChildren(...countRows(desk));
  const groups = recording.summary ? groupsOf(recording) : [];
  byId("report-figures").replaceChildren(...groups.map(({ title, facts }) => el("div", {}, el("h3", {}, title), el("dl", {}, ...pairs(facts)))));
  byId("report-notes").replaceChildren(...groups.filter(({ note }) => note).map(({ title, note }) => el("p", {}, `${title}: ${note}`)));
  const count = review.reviewedCount;
  const reviewed = count > 0 ? `${plural(count, "beat")} reviewed by a reader; the counts by class follow the reader, all other figures the model.` : "No beat was reviewed by a reader.";
  byId("report-review").textContent = `${reviewed} Printed ${new Date().toISOString().slice(0, 10)}.`;
  byId("report-strips").replaceChildren(...(recording.onPaper ? strips(desk) : []));
}

function countRows({ recording, review }) {
  const counts = review.counts();
  return CLASSES.map((letter) => {
    const share = recording.beats.count > 0 ? ((100 * counts[letter]) / recording.beats.count).toFixed(1) : "0.0";
    return el("tr", {}, el("th", { scope: "row" }, classMark(letter), ` ${letter} ${CLASS_WORDS[letter]}`), el("td", {}, grouped(counts[letter])), el("td", {}, `${share} %`));
  });
}

/** Strips one after the other, with the moment in the middle of the first. */
function strips(desk) {
  const { recording, speed } = desk;
  const { start, span } = windowOf(desk);
  const probe = layOut(desk, 0);
  const seconds = (probe.width - probe.pulseWidth) / probe.pxPerS;
  const middle = Math.min(recording.duration, start + Math.min(span, recording.duration) / 2);
  const first = Math.max(0, Math.min(recording.duration - STRIPS * seconds, middle - seconds / 2));
  const starts = Array.from({ length: STRIPS }, (_, i) => first + i * seconds).filter((t) => t < recording.duration);
  return starts.map((t) => {
    const end = Math.min(recording.duration, t + seconds);
    const about = [`From ${clock(t)} to ${clock(end)}, lead ${recording.record.lead}, ${speed} mm/s`, rhythmBetween(recording.rhythm, t, end)];
    const caption = about.filter(Boolean).join(". ");
    const figure = el("figure", {}, el("figcaption", {}, caption), el("canvas", { role: "img", "aria-label": caption }));
    // Colours come from the style sheet, which reaches only what is in the page.
    byId("report-strips").append(figure);
    drawStrip(figure.querySelector("canvas"), layOut(desk, t), desk);
    return figure;
  });
}

function layOut({ recording, speed, gain, upright }, start) {
  const mm = paperMm(recording, gain, LEAST_MM, STRIP_MM);
  const sign = recording.record.inverted && upright ? -1 : 1;
  return layOutStrip({ width: WIDTH_MM * MM_PX, top: LANE_PX, mm, start, speed, gain, pxPerMm: MM_PX, sign, recording });
}

function drawStrip(canvas, strip, { recording, review, selected }) {
  const pen = preparePen(canvas, strip.width, strip.height, DOTS);
  const ink = inks(canvas);
  canvas.style.width = `${WIDTH_MM}mm`;
  canvas.style.height = `${strip.height / MM_PX}mm`;
  drawGrid(pen, strip, ink);
  drawQuality(pen, strip, ink, recording.quality);
  drawMarks(pen, strip, ink, { recording, review, filter: "all", selected, lets: () => true });
  drawTrace(pen, strip, ink);
  drawReasons(pen, strip, ink, recording.quality);
  drawPulse(pen, strip, ink);
  drawAxis(pen, strip, ink, clock);
}
