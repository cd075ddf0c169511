/** What the answer to a beat leans on: how much of its probability goes without a part of what was known. */

import { byId, el, show } from "./dom.js";

const FAMILY_WORDS = { rhythm: "the rhythm", p_wave: "the P wave beside the recording's", shape: "the shape beside the recording's" };
const MEANING =
  "Points of probability that the answer loses when a stretch of 0.08 s is drawn as a straight line, or something else is not known. It tells what the model looks at, not what is true of the heart.";
const LEAST = 0.005; // Half a point of probability: less is nothing.
const FAINT = 0.1; // A largest loss below it is not drawn in full colour.

/** The explanation of beat `i`, of an answer's columns, or null. */
export function whyOf(explanations, i) {
  const at = explanations ? explanations.beat.indexOf(i) : -1;
  if (at < 0) return null;
  const { from_s: fromS, step_s: stepS, window, context } = explanations;
  const families = Object.entries(context).map(([name, losses]) => ({ name, loss: losses[at] }));
  return { stretches: window[at].map((loss, k) => ({ loss, from: fromS + k * stepS, to: fromS + (k + 1) * stepS })), families };
}

/** Shows an explanation in #why, or hides it for null. */
export function showWhy(why) {
  show(byId("why"), why !== null);
  if (why === null) return;
  const full = Math.max(FAINT, ...why.stretches.map(({ loss }) => Math.abs(loss)));
  const scale = el("div", { class: "why-scale", "aria-hidden": "true" });
  scale.append(el("div", { class: "why-strip" }, ...why.stretches.map((one) => cell(one, full))));
  const [start, end] = [why.stretches[0].from, why.stretches.at(-1).to];
  const peak = el("span", { class: "why-peak" }, "R peak");
  peak.style.left = `${(100 * -start) / (end - start)}%`;
  peak.classList.toggle("at-start", start === 0);
  scale.append(el("span", {}, start < 0 ? `−${(-start).toFixed(1)} s` : ""), peak, el("span", {}, `+${end.toFixed(1)} s`));
  const families = why.families.filter(({ loss }) => Math.abs(loss) >= LEAST).map(line);
  const parts = [el("h4", {}, "What the answer leans on"), el("p", { id: "why-words" }, inWords(why)), scale];
  byId("why").replaceChildren(...parts, el("ul", { class: "hint" }, ...families), el("p", { class: "hint" }, MEANING));
}

function inWords({ stretches, families }) {
  const parts = [...stretches.map((one) => ({ ...one, words: `the beat from ${span(one)}` })), ...families.map((one) => ({ ...one, words: FAMILY_WORDS[one.name] ?? one.name }))];
  const most = parts.filter(({ loss }) => loss >= LEAST).sort((a, b) => b.loss - a.loss).slice(0, 2);
  if (most.length === 0) return "No single part of what was known carries the answer.";
  return `Without ${most.map(({ words, loss }) => `${words} the answer loses ${points(loss)}`).join("; without ")}.`;
}

function cell({ loss, from, to }, full) {
  const square = el("span", { class: loss < 0 ? "why-cell gains" : "why-cell", title: `${span({ from, to })}: ${change(loss)}` });
  square.style.setProperty("--share", String(Math.abs(loss) / full));
  return square;
}

const line = ({ name, loss }) => el("li", {}, `Without ${FAMILY_WORDS[name] ?? name}: ${change(loss)}`);

const change = (loss) => `${loss < 0 ? "gains" : "loses"} ${points(Math.abs(loss))}`;
const span = ({ from, to }) => `${seconds(from)} to ${seconds(to)} s`;
const seconds = (t) => (Math.abs(t) < 0.005 ? "0" : t.toFixed(2).replace("-", "−"));
const points = (loss) => `${(100 * loss).toFixed(loss < 0.0995 ? 1 : 0)} points`;
