/** The page of lone beats: beats in, one request, and the answer drawn, counted and listed. */

import { ServiceProblem, classify, factsOf } from "./api.js";
import { createDetail } from "./detail.js";
import { byId, el, plural, show } from "./dom.js";
import { resultAsCsv, resultAsJson, save } from "./exports.js";
import { checkReady, loadModels } from "./models.js";
import { drawThumbnails, loadSamples } from "./samples.js";
import { createSource, showProblem } from "./source.js";
import { FILTERS, columnsOf, showConfusion, showCounts } from "./summary.js";
import { createTable } from "./table.js";
import { setUpTabs } from "./tabs.js";
import { whyOf } from "./why.js";

const page = { samples: null, result: null, running: null };
const detail = createDetail();
const table = createTable(detail.show);
const source = createSource(updateButton);

function updateButton() {
  const button = byId("classify");
  const onSamples = source.tab === "samples";
  const count = onSamples ? (page.samples?.beats.length ?? 0) : (source.parsed()?.beats.length ?? 0);
  button.disabled = page.running !== null || count === 0;
  button.textContent = count === 0 ? "Classify" : `Classify ${onSamples ? "all " : ""}${plural(count, "beat")}`;
}

function setRunning(controller, total = 0) {
  page.running = controller;
  const busy = controller !== null;
  for (const node of document.querySelectorAll(".sample, #save-csv, #save-json")) node.disabled = busy;
  show(byId("cancel"), busy);
  show(byId("progress"), busy);
  byId("progress").max = Math.max(1, total);
  byId("progress").value = 0;
  byId("input-title").closest("section").setAttribute("aria-busy", String(busy));
  updateButton();
}

async function run(job) {
  if (page.running !== null) return;
  if (job === null) return say("");
  const from = document.activeElement;
  const controller = new AbortController();
  showProblem("", []);
  say(`Classifying ${plural(job.beats.length, "beat")} …`);
  setRunning(controller, job.beats.length);
  try {
    const model = byId("model").value || null;
    const onProgress = (done) => (byId("progress").value = done);
    const answer = await classify({ ...job, model }, { signal: controller.signal, onProgress });
    showResult(job, answer);
  } catch (error) {
    showFailure(error);
  } finally {
    setRunning(null);
    if (document.activeElement === document.body) from.focus();
  }
}

function showFailure(error) {
  const stopped = error.name === "AbortError";
  say(stopped ? "Stopped." : "Not classified.");
  if (stopped) return;
  show(byId("results"), false); // An older result beside a new problem would be taken for its answer.
  if (error instanceof ServiceProblem) return showProblem(error.message, error.lines);
  showProblem("The answer could not be shown.", []);
  console.error(error);
}

function showResult(job, answer) {
  const shared = { fs: job.fs, unitKnown: job.unitKnown };
  const rows = job.beats.map((beat, i) => ({ ...beat, ...shared, number: i + 1, answer: answer.answers[i], why: whyOf(answer.explanations, i) }));
  page.result = { rows, fs: job.fs, model: answer.model, timingMs: answer.timingMs };
  show(byId("results"), true);
  showFacts(factsOf(answer, job.fs));
  showConfusion(rows);
  const columns = columnsOf(rows);
  showCounts(rows, (filter) => {
    const listed = rows.filter(FILTERS[filter]);
    table.fill(listed, columns);
    detail.show(listed[0]);
  });
  say(`Done: ${plural(rows.length, "beat")}.`);
  byId("results-title").focus({ preventScroll: true });
  byId("results").scrollIntoView({ block: "start" });
}

function showFacts({ beats, fs, model, hash, time }) {
  const hashed = hash ? [", SHA-256 ", el("code", {}, `${hash}…`)] : [];
  byId("facts").replaceChildren(`${beats} at ${fs}, classified in ${time} by model `, el("b", {}, model), ...hashed);
}

function say(text) {
  byId("status").textContent = text;
}

const sampleJob = (beats) => ({ fs: page.samples.fs, unitKnown: true, beats });

function setUpButtons() {
  byId("classify").addEventListener("click", () => run(source.tab === "samples" ? sampleJob(page.samples.beats) : source.job()));
  byId("cancel").addEventListener("click", () => page.running?.abort());
  byId("save-csv").addEventListener("click", () => save("beatwise-result.csv", "text/csv", resultAsCsv(page.result)));
  byId("save-json").addEventListener("click", () => save("beatwise-result.json", "application/json", resultAsJson(page.result)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    detail.redraw();
    drawThumbnails();
  });
}

async function start() {
  setUpTabs(document.querySelector('[role="tablist"]'), source.open);
  setUpButtons();
  checkReady();
  loadModels();
  page.samples = await loadSamples((beat) => run(sampleJob([beat])));
  updateButton();
}

start();
