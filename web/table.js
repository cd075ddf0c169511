/** The table of beats: pages of rows, one selected, moved by mouse or keyboard. */

import { CLASS_WORDS, classMark } from "./classes.js";
import { byId, el, grouped, percent, show } from "./dom.js";

const PAGE = 50;
const JUMP = 10;

/** Returns {fill(rows)}; onSelect(row) is called whenever the selection changes. */
export function createTable(onSelect) {
  const table = byId("beats");
  const state = { rows: [], at: 0, page: -1, labelled: false };

  function select(at, focus) {
    state.at = Math.max(0, Math.min(state.rows.length - 1, at));
    if (Math.floor(state.at / PAGE) !== state.page) drawPage(table, state);
    mark(table, state, focus);
    onSelect(state.rows[state.at]);
  }

  table.addEventListener("click", (event) => {
    const line = event.target.closest("tr[data-at]");
    if (line) select(Number(line.dataset.at), true);
  });
  table.addEventListener("keydown", (event) => {
    const target = targetOf(event.key, state);
    if (target === null) return;
    event.preventDefault();
    select(target, true);
  });
  byId("page-back").addEventListener("click", () => select((state.page - 1) * PAGE, false));
  byId("page-on").addEventListener("click", () => select((state.page + 1) * PAGE, false));

  return {
    fill(rows, labelled) {
      Object.assign(state, { rows, page: -1, labelled });
      if (rows.length > 0) select(0, false);
    },
  };
}

function targetOf(key, { at, rows }) {
  const targets = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + JUMP, PageUp: at - JUMP, Home: 0, End: rows.length - 1 };
  return targets[key] ?? null;
}

function drawPage(table, state) {
  state.page = Math.floor(state.at / PAGE);
  const start = state.page * PAGE;
  const lines = state.rows.slice(start, start + PAGE).map((row, i) => line(row, start + i, state.labelled));
  table.replaceChildren(head(state.labelled), el("tbody", {}, ...lines));
  table.setAttribute("aria-rowcount", String(state.rows.length + 1));
  showPages(state, start);
}

function showPages({ rows, page }, start) {
  show(byId("pages"), rows.length > PAGE);
  byId("page-back").disabled = page === 0;
  byId("page-on").disabled = start + PAGE >= rows.length;
  const end = Math.min(start + PAGE, rows.length);
  byId("page-now").textContent = `${grouped(start + 1)} to ${grouped(end)} of ${grouped(rows.length)}`;
}

function head(labelled) {
  const names = ["Beat", "Class", "Confidence", ...(labelled ? ["Label"] : [])];
  const cells = names.map((name) => el("th", { scope: "col", role: "columnheader" }, name));
  return el("thead", {}, el("tr", { "aria-rowindex": 1 }, ...cells));
}

function line(row, at, labelled) {
  const { aami_class: found, confidence } = row.answer;
  const cells = [
    el("td", { role: "gridcell" }, grouped(row.number)),
    el("td", { role: "gridcell" }, classMark(found), " ", el("b", {}, found), el("span", { class: "words" }, ` ${CLASS_WORDS[found] ?? ""}`)),
    el("td", { role: "gridcell", class: "num" }, percent(confidence)),
  ];
  if (labelled) cells.push(labelCell(row.label, found));
  return el("tr", { "data-at": at, "aria-rowindex": at + 2, tabindex: -1, "aria-selected": "false" }, ...cells);
}

function labelCell(label, found) {
  if (label === null) return el("td", { role: "gridcell" }, "none");
  const note = label === found ? [] : [el("span", { class: "differs" }, " differs")];
  return el("td", { role: "gridcell" }, classMark(label), ` ${label}`, ...note);
}

function mark(table, { at }, focus) {
  for (const row of table.querySelectorAll("tr[data-at]")) {
    const chosen = Number(row.dataset.at) === at;
    row.setAttribute("aria-selected", String(chosen));
    row.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) row.focus({ preventScroll: true });
    if (chosen) keepInView(row);
  }
}

/** Scrolls the table's own box only, so that the drawing stays where it is on the page. */
function keepInView(row) {
  const box = row.closest(".scroll");
  const [outer, inner] = [box.getBoundingClientRect(), row.getBoundingClientRect()];
  const headHeight = box.querySelector("thead").offsetHeight;
  if (inner.top < outer.top + headHeight) box.scrollTop -= outer.top + headHeight - inner.top;
  if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom;
}
