/** The page of recordings: a file in, and its ECG on paper with every beat marked. */

import { setUpAdvice } from "./advice.js";
import { createBeatList } from "./beatlist.js";
import { createBeatPanel } from "./beatpanel.js";
import { createCaliper } from "./caliper.js";
import { CLASSES, CLASS_WORDS } from "./classes.js";
import { fillFilters } from "./confusion.js";
import { createDesk, openOn, pan, windowOf, zoomBy } from "./desk.js";
import { byId, plural, show } from "./dom.js";
import { createFacts } from "./facts.js";
import { setUpHandling } from "./handling.js";
import { setUpKeys } from "./keys.js";
import { checkReady, loadModels } from "./models.js";
import { setUpMoment } from "./moment.js";
import { createOpening } from "./opening.js";
import { createOverlay } from "./overlay.js";
import { createOverview } from "./overview.js";
import { createPaper } from "./paper.js";
import { setUpPrinting } from "./printing.js";
import { createReview } from "./review.js";
import { toRecording } from "./recording.js";
import { setFilter, stepListed } from "./stepping.js";
import { createTachogram } from "./tachogram.js";
import { setUpTaking } from "./taking.js";

const desk = createDesk();

function openAnswer(answer, name, sent) {
  const recording = { ...toRecording(answer, name), sent };
  byId("opening").open = false;
  show(byId("welcome"), false);
  byId("opening-title").textContent = "Open another recording";
  show(byId("workbench"), true);
  for (const part of document.querySelectorAll("[data-paper]")) show(part, recording.onPaper);
  byId("workbench").classList.toggle("rows-only", !recording.onPaper);
  openOn(desk, recording, createReview(recording.beats));
  byId(recording.onPaper ? "paper" : "workbench-title").focus({ preventScroll: true });
  byId("workbench").scrollIntoView({ block: "start" });
}

function showFilters() {
  const counts = desk.review.counts();
  const total = desk.recording.beats.count;
  const share = (n) => (total > 0 ? `${((100 * n) / total).toFixed(1)} %` : "");
  const items = [{ name: "all", count: total, words: "all beats" }, ...CLASSES.map((c) => ({ name: c, count: counts[c], words: CLASS_WORDS[c], share: share(counts[c]) }))];
  const { reviewedCount } = desk.review;
  if (reviewedCount > 0 || desk.filter === "reviewed") items.push({ name: "reviewed", count: reviewedCount, words: "reviewed" });
  fillFilters(byId("counts"), items, desk.filter, (filter) => setFilter(desk, filter));
}

function step(way) {
  const what = desk.filter === "all" ? "beat that is not N" : `beat of the filter (${desk.filter})`;
  const found = stepListed(desk, way);
  byId("step-note").textContent = found ? "" : `No ${way > 0 ? "later" : "earlier"} ${what}.`;
}

function setUpToolbar() {
  byId("speed").addEventListener("change", (event) => desk.set({ speed: Number(event.target.value) }));
  byId("gain").addEventListener("change", (event) => desk.set({ gain: Number(event.target.value) }));
  byId("upright").addEventListener("change", (event) => desk.set({ upright: event.target.checked }));
  const half = () => windowOf(desk).span / 2;
  const zooms = { "zoom-in": () => zoomBy(desk, 1), "zoom-out": () => zoomBy(desk, -1), "zoom-true": () => zoomBy(desk, 0) };
  const presses = { ...zooms, next: () => step(1), previous: () => step(-1), earlier: () => pan(desk, -half()), later: () => pan(desk, half()) };
  for (const [id, press] of Object.entries(presses)) byId(id).addEventListener("click", press);
  desk.on(["zoom", "recording"], () => (byId("zoom-now").textContent = `${Math.round(100 * desk.zoom)} %`));
  desk.on(["recording"], () => (byId("upright").checked = desk.upright));
  desk.on(["selected"], () => (byId("step-note").textContent = ""));
  desk.on(["recording", "labels"], showFilters);
  desk.on(["listed"], () => (byId("listed-note").textContent = `${plural(desk.listed.length, "beat")} listed.`));
}

function start() {
  const paper = createPaper(desk);
  const caliper = createCaliper(desk);
  for (const create of [createOverview, createTachogram, createOverlay, createBeatList, createFacts, setUpAdvice, setUpMoment, setUpPrinting, setUpTaking]) create(desk);
  setUpHandling(desk, paper);
  setUpKeys(desk, { beat: createBeatPanel(desk), caliper, step });
  setUpToolbar();
  createOpening(openAnswer);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => desk.set({ theme: Symbol("theme") }));
  checkReady();
  loadModels();
}

start();
