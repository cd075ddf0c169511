/** Counts by class as buttons that filter, and the table of reference against answer. */

import { CLASSES, CLASS_WORDS, classMark } from "./classes.js";
import { el, grouped } from "./dom.js";

/** A class as its shape, its letter and its words. */
export const named = (letter) => [classMark(letter), " ", el("b", {}, letter), el("span", { class: "words" }, ` ${CLASS_WORDS[letter] ?? ""}`)];

/** Fills `box` with a button for each {name, count, words, share}; onFilter(name) when one is chosen. */
export function fillFilters(box, items, chosen, onFilter) {
  const buttons = items.map((item) => filterButton(item, item.name === chosen));
  for (const button of buttons) {
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      onFilter(button.dataset.filter);
    });
  }
  box.replaceChildren(...buttons);
}

function filterButton({ name, count, words, share = "" }, chosen) {
  const letter = CLASSES.includes(name) ? [classMark(name), el("b", {}, name)] : [];
  const head = el("span", { class: "count-head" }, ...letter, el("span", { class: "count-share" }, share), el("span", { class: "number" }, grouped(count)));
  const attributes = { type: "button", class: "count", "data-filter": name, disabled: count === 0 && !chosen, "aria-pressed": String(chosen) };
  return el("button", attributes, head, el("span", { class: "count-words" }, words));
}

/** The table of a confusion matrix: matrix[i][j] beats of reference CLASSES[i] answered CLASSES[j]. */
export function confusionTable(matrix, head) {
  const heads = CLASSES.map((c) => el("th", { scope: "col", abbr: CLASS_WORDS[c] }, classMark(c), ` ${c}`));
  const present = CLASSES.map((_, i) => i).filter((i) => matrix[i].some((count) => count > 0));
  return el(
    "table",
    { class: "confusion" },
    el("caption", {}, `Rows: ${head.toLowerCase()}. Columns: class found.`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, head), ...heads)),
    el("tbody", {}, ...present.map((i) => confusionRow(i, matrix[i]))),
  );
}

function confusionRow(i, counts) {
  const cells = counts.map((count, j) => {
    const kind = i === j ? "agree" : count > 0 ? "differ" : "none";
    return el("td", { class: kind }, grouped(count));
  });
  return el("tr", {}, el("th", { scope: "row" }, classMark(CLASSES[i]), ` ${CLASSES[i]}`), ...cells);
}
