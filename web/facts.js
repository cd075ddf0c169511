/** What the service found out about the whole recording: key figures, agreement, and how the file was read. */

import { confusionTable } from "./confusion.js";
import { clock } from "./recording.js";
import { fibrillates, rhythmGroup } from "./rhythm.js";
import { byId, el, grouped, plural, show } from "./dom.js";
import { goTo } from "./desk.js";

const NONE = "none";
const IN_AF = "Intervals in atrial fibrillation count too; of them these figures say little.";
const RATES = { mean: "Mean", min: "Lowest", max: "Highest" };
const fixed = (value, digits, unit) => (value === null || value === undefined ? NONE : `${value.toFixed(digits)} ${unit}`);
const share = (value) => (value === null || value === undefined ? NONE : `${(100 * value).toFixed(1)} %`);

/** Fills the line above the paper, the panel of figures and the comparison with reference marks. */
export function createFacts(desk) {
  desk.on(["recording"], () => {
    const { recording } = desk;
    showLine(recording);
    showFound(recording);
    show(byId("rhythm-key"), Boolean(recording.rhythm));
    show(byId("figures"), recording.summary !== null);
    if (recording.summary) byId("figure-groups").replaceChildren(...groupsOf(recording).map((g) => group(g, desk)));
    show(byId("agreement-card"), recording.agreement !== null);
    if (recording.agreement) showAgreement(recording.agreement);
  });
  desk.on(["recording", "labels"], () => show(byId("figures-note"), desk.review.reviewedCount > 0));
}

/** The header facts of a recording as [name, value] pairs; the printed report has them too. */
export function headerOf({ name, record, beats, duration, model }) {
  const facts = [["Recording", name], ["Beats", grouped(beats.count)]];
  if (duration) facts.push(["Length", clock(duration, 0)], ["Sampling", `${record.fs} Hz`]);
  if (duration) facts.push(["Lead", record.leads.length > 1 ? `${record.lead} (of ${record.leads.join(", ")})` : record.lead]);
  facts.push(["Format", record.format]);
  if (duration) facts.push(["Unit", record.unit ?? "unknown"]);
  return [...facts, ["Model", `${model.name} ${model.version}, SHA\u2011256 ${String(model.sha256 ?? "").slice(0, 8)}`]];
}

/** Pairs as the terms and descriptions of a <dl>. */
export const pairs = (facts) => facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));

function showLine(recording) {
  byId("header-facts").replaceChildren(...pairs(headerOf(recording)));
}

function showFound({ record }) {
  const sentences = [...(record.found ?? [])];
  byId("found").replaceChildren(...sentences.map((text) => el("li", {}, text)));
  show(byId("found-box"), sentences.length > 0);
  show(byId("inverted-box"), record.inverted === true);
}

/** The figures by group; the printed report lists the same. */
export function groupsOf({ summary, rhythm }) {
  const { heart_rate: rate, by_class: by, ventricular, supraventricular, pauses, hrv } = summary;
  const signal = [["Analysable", fixed(summary.analysable_percent, 1, "%")], ["Beats not classified", grouped(summary.unusable_beats ?? 0)]];
  const variability = [["SDNN", fixed(hrv.sdnn_ms, 0, "ms")], ["RMSSD", fixed(hrv.rmssd_ms, 0, "ms")], ["pNN50", fixed(hrv.pnn50_percent, 1, "%")]];
  return [
    ...(rhythm ? [rhythmGroup(rhythm)] : []),
    { title: "Rate and signal", facts: [...["mean", "min", "max"].map((key) => [RATES[key], fixed(rate[key], 0, "bpm")]), ...signal] },
    { title: "Ventricular (V)", facts: [...burden(by.V), ...patterns(ventricular)] },
    { title: "Supraventricular (S)", facts: [...burden(by.S), ...patterns(supraventricular)] },
    { title: "Pauses", facts: [["Count", grouped(pauses.count)], ["Longest", fixed(pauses.longest_s, 2, "s")]], moments: pauses.at_s ?? [] },
    { title: "Heart rate variability", facts: [...variability, ["N to N intervals", grouped(hrv.intervals)]], note: fibrillates(rhythm) ? IN_AF : "" },
  ];
}

const burden = ({ count, burden_percent: percent }) => [["Beats", grouped(count)], ["Burden", fixed(percent, 1, "%")]];

function patterns({ couplets, runs, longest_run: longest, bigeminy }) {
  const most = runs > 0 && longest ? `${grouped(runs)}, longest ${grouped(longest)} beats` : grouped(runs);
  return [["Couplets", grouped(couplets)], ["Runs", most], ["Bigeminy", grouped(bigeminy)]];
}

const MOST_MOMENTS = 6;

function group({ title, facts, moments = [], ends, note }, desk) {
  const links = moments.slice(0, MOST_MOMENTS).map((t, i) => {
    const when = ends ? `${clock(t, 0)} to ${clock(ends[i], 0)}` : clock(t, 1);
    const button = el("button", { type: "button", class: "small", title: "Show on the paper" }, when);
    button.addEventListener("click", () => goTo(desk, t));
    return button;
  });
  const more = moments.length > MOST_MOMENTS ? [`The first ${MOST_MOMENTS} of ${grouped(moments.length)}.`] : [];
  const hints = [...more, note].filter(Boolean).map((text) => el("p", { class: "hint" }, text));
  return el("section", { class: "figure-group" }, el("h4", {}, title), el("dl", {}, ...pairs(facts)), ...links, ...hints);
}

function showAgreement({ reference, map, qrs, confusion, accuracy, veb, sveb }) {
  const of = confusion.flat().reduce((a, b) => a + b, 0);
  const about = [`Reference: ${reference}.`, map ? `Symbols by the map of ${map}.` : "", `Same class: ${share(accuracy)} of ${plural(of, "beat")}.`];
  const lines = [["QRS", qrs && detection(qrs)], ["VEB", veb && rates(veb)], ["SVEB", sveb && rates(sveb)]];
  byId("agreement-words").textContent = about.filter(Boolean).join(" ");
  byId("agreement-list").replaceChildren(...pairs(lines.filter(([, value]) => value)));
  byId("agreement-table").replaceChildren(confusionTable(confusion, "Reference"));
}

const detection = ({ tp, fn, fp, se, ppv }) => `Se ${share(se)}, +P ${share(ppv)}: ${grouped(tp)} found, ${grouped(fn)} missed, ${grouped(fp)} extra`;
const rates = ({ se, ppv, fpr }) => `Se ${share(se)}, +P ${share(ppv)}, FPR ${share(fpr)}`;
