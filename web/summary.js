/** The page of lone beats: counts by class, which filter the table, and the comparison with given labels. */

import { CLASSES, CLASS_WORDS, classMark } from "./classes.js";
import { confusionTable, fillFilters, named } from "./confusion.js";
import { byId, el, grouped, percent, plural, show } from "./dom.js";

/** A filter is "all", a class letter, or "differ" (class and label disagree). */
export const FILTERS = {
  all: () => true,
  differ: (row) => row.label !== null && row.label !== row.answer.aami_class,
  ...Object.fromEntries(CLASSES.map((c) => [c, (row) => row.answer.aami_class === c])),
};
const WORDS = { ...CLASS_WORDS, all: "all beats", differ: "differ from the label" };

const COLUMNS = [
  { name: "Beat", cell: (row) => grouped(row.number) },
  { name: "Class", cell: (row) => named(row.answer.aami_class) },
  { name: "Confidence", class: "num", cell: (row) => percent(row.answer.confidence) },
];
const LABEL = { name: "Label", cell: ({ label, answer }) => labelCell(label, answer.aami_class) };

/** The table's columns; labels have one where there are any. */
export const columnsOf = (rows) => (rows.some((row) => row.label !== null) ? [...COLUMNS, LABEL] : COLUMNS);

function labelCell(label, found) {
  if (label === null) return "none";
  const note = label === found ? [] : [el("span", { class: "differs" }, " differs")];
  return [classMark(label), ` ${label}`, ...note];
}

export function showCounts(rows, onFilter) {
  const labelled = rows.some((row) => row.label !== null);
  const names = ["all", ...CLASSES, ...(labelled ? ["differ"] : [])];
  const items = names.map((name) => ({ name, count: rows.filter(FILTERS[name]).length, words: WORDS[name] }));
  fillFilters(byId("counts"), items, "all", onFilter);
  onFilter("all");
}

export function showConfusion(rows) {
  const labelled = rows.filter((row) => row.label !== null);
  const box = byId("confusion");
  show(box, labelled.length > 0);
  if (labelled.length === 0) return;
  const right = labelled.filter((row) => row.label === row.answer.aami_class).length;
  const share = ((100 * right) / labelled.length).toFixed(1);
  const text = `Agreement ${share} %: ${grouped(right)} of ${plural(labelled.length, "labelled beat")}.`;
  box.replaceChildren(el("h3", {}, "Against the labels given"), el("p", { id: "agreement" }, text), confusionTable(matrixOf(labelled), "Label"));
}

function matrixOf(rows) {
  const matrix = CLASSES.map(() => CLASSES.map(() => 0));
  for (const { label, answer } of rows) matrix[CLASSES.indexOf(label)][CLASSES.indexOf(answer.aami_class)] += 1;
  return matrix;
}
