/** The page of models: F1 and ROC AUC of each class as bars, all models of beats side by side; then the rhythm's. */

import { NO_ANSWER, ServiceProblem, getJson } from "./api.js";
import { CLASSES, CLASS_WORDS, classMark, tellsBeats, tellsRhythms } from "./classes.js";
import { byId, el, show } from "./dom.js";
import { showRhythm } from "./rhythmcard.js";
import { MEASURES, bar, ofFolds, words } from "./scores.js";

const NOTES = {
  inter_patient_without_paced:
    "Trained on the half DS1 of the MIT-BIH Arrhythmia Database, tested on the 22 records of DS2, reference R peaks, de Chazal's map. Intervals: 95 %, by record.",
  records: "Inside DS1: each patient is in one fold and scored by a model that never saw them. ±: standard deviation over the folds.",
  beats: "Inside DS1, split by beat: every patient is on both sides, so these figures say how well a model remembers. Most published figures are of this kind.",
};
const WHOLE = {
  accuracy: "Accuracy", macro_f1_nsv: "Macro-F1 N, S, V", f1_macro: "Macro-F1", f1_weighted: "Weighted F1",
  precision_macro: "Macro precision", recall_macro: "Macro recall", log_loss: "Log loss", j_kappa: "j-kappa",
};
const page = { models: [] };

/** What a model scored under a protocol: {value, spread, low, high}, or null where it has no figure. */
function scored(model, protocol, name) {
  const folds = model.folds?.[protocol];
  if (folds) return ofFolds(folds[name]);
  const found = model.protocols?.[protocol];
  if (!found) return null;
  const [letter, measure] = name.split("_");
  if (measure === "f1" && found[letter]) return { value: found[letter].f1, interval: found.interval_95?.[name] };
  if (measure === "auc") return found.roc_auc?.[letter] === undefined ? null : { value: found.roc_auc[letter] };
  return typeof found[name] === "number" ? { value: found[name], interval: found.interval_95?.[name] } : null;
}

function chart(letter, measure, protocol, order) {
  const found = page.models.map((m) => ({ name: m.name, score: scored(m, protocol, `${letter}_${measure}`) })).filter((row) => row.score);
  if (order === "score") found.sort((a, b) => b.score.value - a.score.value);
  const title = el("h3", {}, classMark(letter), ` ${letter} `, el("span", { class: "words" }, `${CLASS_WORDS[letter]}: `), MEASURES[measure]);
  const bars = found.map(({ name, score }) => bar(name, score, letter));
  const none = el("p", { class: "hint" }, "No beats of this class.");
  return el("section", { class: "card" }, title, bars.length ? el("ul", { class: "bars" }, ...bars) : none);
}

function table(protocol) {
  const names = Object.keys(WHOLE).filter((name) => page.models.some((m) => scored(m, protocol, name)));
  const head = ["Model", "Version", ...names.map((name) => WHOLE[name])].map((text) => el("th", { scope: "col" }, text));
  const rows = page.models.map((m) => {
    const link = el("a", { href: `/v1/models/${encodeURIComponent(m.name)}` }, m.name);
    const cells = names.map((name) => el("td", { class: "num" }, ...[scored(m, protocol, name)].filter(Boolean).map(words)));
    return el("tr", {}, el("th", { scope: "row" }, link), el("td", {}, m.version), ...cells);
  });
  return [el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)];
}

function draw() {
  const protocol = byId("protocol").value;
  byId("protocol-note").textContent = NOTES[protocol];
  const letters = CLASSES.filter((c) => c !== "Q");
  const charts = letters.flatMap((c) => Object.keys(MEASURES).map((m) => chart(c, m, protocol, byId("order").value)));
  byId("charts").replaceChildren(...charts);
  byId("figures").replaceChildren(...table(protocol));
}

async function start() {
  try {
    const { models } = await getJson("/v1/models");
    page.models = models.filter(tellsBeats);
    for (const id of ["protocol", "order"]) byId(id).addEventListener("change", draw);
    draw();
    showRhythm(models.find(tellsRhythms));
  } catch (error) {
    byId("problem").textContent = error instanceof ServiceProblem ? `The models are not there yet: ${error.message}` : NO_ANSWER;
    show(byId("problem"), true);
  }
}

start();
