/** Counts by class, which filter the table, and the comparison with given labels. */

import { CLASSES, CLASS_WORDS, classMark } from "./classes.js";
import { byId, el, grouped, plural, show } from "./dom.js";

/** A filter is "all", a class letter, or "differ" (class and label disagree). */
export const FILTERS = {
  all: () => true,
  differ: (row) => row.label !== null && row.label !== row.answer.aami_class,
  ...Object.fromEntries(CLASSES.map((c) => [c, (row) => row.answer.aami_class === c])),
};

export function showCounts(rows, onFilter) {
  const labelled = rows.some((row) => row.label !== null);
  const names = ["all", ...CLASSES, ...(labelled ? ["differ"] : [])];
  const buttons = names.map((name) => filterButton(name, rows.filter(FILTERS[name]).length));
  const choose = (chosen) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
    onFilter(chosen.dataset.filter);
  };
  for (const button of buttons) button.addEventListener("click", () => choose(button));
  byId("counts").replaceChildren(...buttons);
  choose(buttons[0]);
}

function filterButton(name, count) {
  const words = { all: "all beats", differ: "differ from the label" }[name] ?? CLASS_WORDS[name];
  const letter = CLASSES.includes(name) ? [classMark(name), el("b", {}, name)] : [];
  const number = el("span", { class: "number" }, grouped(count));
  const head = el("span", { class: "count-head" }, ...letter, number);
  const empty = count === 0;
  return el("button", { type: "button", class: "count", "data-filter": name, disabled: empty }, head, el("span", { class: "count-words" }, words));
}

export function showConfusion(rows) {
  const labelled = rows.filter((row) => row.label !== null);
  const box = byId("confusion");
  show(box, labelled.length > 0);
  if (labelled.length === 0) return;
  const right = labelled.filter((row) => row.label === row.answer.aami_class).length;
  const share = ((100 * right) / labelled.length).toFixed(1);
  const text = `Agreement ${share} %: ${grouped(right)} of ${plural(labelled.length, "labelled beat")}.`;
  box.replaceChildren(el("h3", {}, "Against the labels given"), el("p", { id: "agreement" }, text), confusionTable(labelled));
}

function confusionTable(rows) {
  const heads = CLASSES.map((c) => el("th", { scope: "col", abbr: CLASS_WORDS[c] }, classMark(c), ` ${c}`));
  const present = CLASSES.filter((label) => rows.some((row) => row.label === label));
  return el(
    "table",
    { class: "confusion" },
    el("caption", {}, "Rows: label given. Columns: class found."),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Label"), ...heads)),
    el("tbody", {}, ...present.map((label) => confusionRow(label, rows))),
  );
}

function confusionRow(label, rows) {
  const cells = CLASSES.map((found) => {
    const count = rows.filter((row) => row.label === label && row.answer.aami_class === found).length;
    const kind = label === found ? "agree" : count > 0 ? "differ" : "none";
    return el("td", { class: kind }, grouped(count));
  });
  return el("tr", {}, el("th", { scope: "row" }, classMark(label), ` ${label}`), ...cells);
}
