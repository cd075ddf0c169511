/** The selected beat in words, its probabilities, and the buttons that correct its label. */

import { CLASSES, CLASS_WORDS, classMark } from "./classes.js";
import { named } from "./confusion.js";
import { showBars } from "./detail.js";
import { byId, el, grouped, percent, plural, show } from "./dom.js";
import { clock } from "./recording.js";
import { selectBeat, setFilter } from "./stepping.js";
import { showWhy, whyOf } from "./why.js";

const NO_BEAT = "No beat is selected: click one, or press n.";

/** Sets up the panel; returns {label(letter), undo(), redo()} for the keyboard. */
export function createBeatPanel(desk) {
  const changed = (index) => {
    if (index < 0) return;
    desk.set({ labels: desk.labels + 1 });
    setFilter(desk, desk.filter);
    selectBeat(desk, index);
  };
  const actions = {
    label: (letter) => changed(desk.selected < 0 ? -1 : desk.review.label(desk.selected, letter)),
    undo: () => changed(desk.review?.undo() ?? -1),
    redo: () => changed(desk.review?.redo() ?? -1),
  };
  byId("labels").replaceChildren(...CLASSES.map((letter) => labelButton(letter, actions)));
  byId("undo").addEventListener("click", actions.undo);
  byId("redo").addEventListener("click", actions.redo);
  desk.on(["recording", "selected", "labels"], () => desk.recording && showBeat(desk));
  return actions;
}

function labelButton(letter, { label }) {
  const words = CLASS_WORDS[letter];
  const names = { "aria-label": `Label ${letter}, ${words}`, title: `${words} (Shift+${letter})`, "aria-keyshortcuts": `Shift+${letter}` };
  const attributes = { type: "button", value: letter, ...names };
  const button = el("button", attributes, classMark(letter), ` ${letter}`);
  button.addEventListener("click", () => label(letter));
  return button;
}

function showBeat({ recording, review, selected }) {
  const chosen = selected >= 0;
  byId("undo").disabled = !review.canUndo;
  byId("redo").disabled = !review.canRedo;
  const count = review.reviewedCount;
  byId("reviewed").textContent = count > 0 ? `${plural(count, "beat")} reviewed. The model's own answer is kept beside your labels.` : "";
  for (const button of byId("labels").children) {
    button.disabled = !chosen;
    button.setAttribute("aria-pressed", String(chosen && review.letter(selected) === button.value));
  }
  show(byId("beat-facts"), chosen);
  show(byId("no-beat"), !chosen);
  byId("beat-name").classList.toggle("hint", !chosen);
  byId("beat-name").replaceChildren(...(chosen ? headline(recording.beats, review, selected) : [NO_BEAT]));
  if (chosen) fill(recording.beats, review, selected);
  showWhy(whyOf(recording.explanations, selected));
}

/** "Beat 131 at 1:10.94: V ventricular ectopic, RR 0.528 s": what the line under the paper says. */
function headline({ timeS, rr }, review, i) {
  const when = timeS[i] === null ? "" : ` at ${clock(timeS[i])}`;
  const interval = rr[i] === null ? "" : `, RR ${rr[i].toFixed(3)} s`;
  return [`Beat ${grouped(i + 1)}${when}: `, ...named(review.letter(i)), interval];
}

function fill(beats, review, i) {
  const facts = [
    ["Time", beats.timeS[i] === null ? null : clock(beats.timeS[i])],
    ["RR before", beats.rr[i] === null ? "none" : `${beats.rr[i].toFixed(3)} s, ${Math.round(60 / beats.rr[i])} bpm`],
    ["Model", modelWords(beats, i)],
    ["Signal", beats.quality[i] === null ? null : qualityWords(beats, i)],
    ["Review", review.isReviewed(i) ? (review.isChanged(i) ? `changed from ${review.model(i)}` : "confirmed") : "not reviewed"],
  ];
  const known = facts.filter(([, value]) => value !== null);
  byId("beat-list").replaceChildren(...known.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  showProba(beats, i);
}

function modelWords(beats, i) {
  if (beats.confidence[i] === null) return `not classified${beats.reason[i] ? `: ${beats.reason[i]}` : ""}`;
  return `${beats.letters[i]}, confidence ${percent(beats.confidence[i])}`;
}

const qualityWords = ({ quality, reason }, i) => (reason[i] ? `${quality[i]}: ${reason[i]}` : quality[i]);

function showProba({ proba, letters }, i) {
  const known = Boolean(proba) && proba.N[i] !== null;
  show(byId("bars"), known);
  if (!known) return;
  const own = Object.fromEntries(CLASSES.map((c) => [c, proba[c][i]]));
  showBars({ proba: own, aami_class: letters[i] });
}
