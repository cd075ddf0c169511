/** A score in words and as a bar, as the page of models shows them. */

import { el } from "./dom.js";

export const MEASURES = { f1: "F1", auc: "ROC AUC" };

/** A score is {value}, and what is known of {spread} over folds or the {interval} of 95 %. */
export const words = ({ value, spread, interval }) => {
  if (interval) return `${value.toFixed(3)} (${interval.map((x) => x.toFixed(2)).join(" to ")})`;
  return spread === undefined ? value.toFixed(3) : `${value.toFixed(3)} ± ${spread.toFixed(3)}`;
};

/** What folds say of a score, or null. */
export const ofFolds = (found) => (found ? { value: found.mean, spread: found.spread } : null);

/** An item of a list; `kind` names the colour. */
export function bar(name, score, kind) {
  const fill = el("span", { class: `fill fill-${kind}` });
  fill.style.width = `${100 * Math.max(0, Math.min(1, score.value))}%`;
  return el("li", { class: "bar model-bar" }, el("span", { class: "bar-name" }, name), el("span", { class: "track", "aria-hidden": "true" }, fill), el("span", { class: "num" }, words(score)));
}
