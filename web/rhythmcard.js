/** The page of models: what the card of the rhythm's model says. */

import { RHYTHMS, RHYTHM_WORDS } from "./classes.js";
import { byId, el, show } from "./dom.js";
import { MEASURES, bar, ofFolds, words } from "./scores.js";

const WHOLE = { score: "Challenge score", accuracy: "Accuracy" };
const OUTSIDE = { se: "MIT-BIH: AF sensitivity", sp: "MIT-BIH: AF specificity", ppv: "MIT-BIH: AF predictivity (+P)" };

/** Fills the section #rhythm; without a card, or without figures on it, the section stays away. */
export function showRhythm(card) {
  const folds = card?.folds?.recordings ?? {};
  const outside = card?.protocols?.["mit-bih"] ?? {};
  const cards = [...Object.keys(MEASURES).map((measure) => chart(folds, measure)), table(folds, outside)].filter(Boolean);
  show(byId("rhythm"), cards.length > 0);
  if (cards.length === 0) return;
  byId("rhythm-model").replaceChildren(el("a", { href: `/v1/models/${encodeURIComponent(card.name)}` }, card.name), ` ${card.version}`);
  byId("rhythm-outside").textContent = ofTime(outside);
  byId("rhythm-charts").replaceChildren(...cards);
}

function chart(folds, measure) {
  const found = RHYTHMS.filter((letter) => folds[`${letter}_${measure}`]);
  const bars = found.map((letter) => bar(`${letter} ${RHYTHM_WORDS[letter]}`, ofFolds(folds[`${letter}_${measure}`]), letter === "A" ? "AF" : "rhythm"));
  return bars.length > 0 && el("section", { class: "card" }, el("h3", {}, MEASURES[measure]), el("ul", { class: "bars" }, ...bars));
}

function table(folds, outside) {
  const whole = Object.keys(WHOLE).filter((name) => folds[name]).map((name) => [WHOLE[name], words(ofFolds(folds[name]))]);
  const rates = Object.keys(OUTSIDE).filter((name) => typeof outside[name] === "number").map((name) => [OUTSIDE[name], `${(100 * outside[name]).toFixed(1)} %`]);
  const rows = [...whole, ...rates].map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "num" }, value)));
  return rows.length > 0 && el("section", { class: "card" }, el("h3", {}, "Overall"), el("table", {}, el("tbody", {}, ...rows)));
}

/** How much of MIT-BIH the rates are of. */
function ofTime({ seconds, noise_seconds: noise }) {
  if (typeof seconds !== "number") return "";
  const left = noise > 0 ? `, ${(noise / 60).toFixed(0)} min called noise left out` : "";
  return ` (${(seconds / 3600).toFixed(1)} h${left})`;
}
