/** A table of beats: pages of rows, one selected, moved by mouse or keyboard. */

import { byId, el, grouped, show } from "./dom.js";

const PAGE = 50;
const JUMP = 10;
const NONE = -1;

/**
 * Returns {fill(rows, columns, at), select(at), redraw()}; onSelect(row) tells of a choice made in the table.
 * A column is {name, class, cell(row)}; cell returns text, an element, or a list of them.
 */
export function createTable(onSelect) {
  const table = byId("beats");
  const state = { rows: [], columns: [], at: NONE, page: NONE };

  function select(at, focus) {
    state.at = Math.max(NONE, Math.min(state.rows.length - 1, at));
    const page = Math.floor(Math.max(0, state.at) / PAGE);
    if (page !== state.page && (state.at !== NONE || state.page === NONE)) turnTo(page);
    mark(table, state, focus);
  }
  function choose(at, focus) {
    if (state.rows.length === 0) return;
    select(Math.max(0, at), focus);
    onSelect(state.rows[state.at]);
  }
  function turnTo(page) {
    state.page = page;
    drawPage(table, state);
  }

  table.addEventListener("click", (event) => {
    const line = event.target.closest("tr[data-at]");
    if (line) choose(Number(line.dataset.at), true);
  });
  table.addEventListener("keydown", (event) => {
    const target = targetOf(event, state);
    if (target === null) return;
    event.preventDefault();
    event.stopPropagation();
    choose(target, true);
  });
  byId("page-back").addEventListener("click", () => choose((state.page - 1) * PAGE, false));
  byId("page-on").addEventListener("click", () => choose((state.page + 1) * PAGE, false));

  return {
    fill: (rows, columns, at = 0) =>
      keepingFocus(table, () => {
        Object.assign(state, { rows, columns, page: NONE });
        select(rows.length === 0 ? NONE : at, false);
      }),
    select: (at) => select(at, false),
    redraw: () =>
      keepingFocus(table, () => {
        drawPage(table, state);
        mark(table, state, false);
      }),
  };
}

/** New rows would drop the keyboard to the top of the page. */
function keepingFocus(table, change) {
  const had = table.contains(document.activeElement);
  change();
  if (had) table.querySelector('tr[tabindex="0"]')?.focus({ preventScroll: true });
}

function targetOf(event, { at, rows }) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return null;
  const targets = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + JUMP, PageUp: at - JUMP, Home: 0, End: rows.length - 1 };
  return targets[event.key] ?? null;
}

function drawPage(table, state) {
  const start = state.page * PAGE;
  const count = Math.max(0, Math.min(PAGE, state.rows.length - start));
  const lines = Array.from({ length: count }, (_, i) => line(state.rows[start + i], start + i, state.columns));
  table.replaceChildren(head(state.columns), el("tbody", {}, ...lines));
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

function head(columns) {
  const cells = columns.map((c) => el("th", { scope: "col", role: "columnheader", class: c.class }, c.name));
  return el("thead", {}, el("tr", { "aria-rowindex": 1 }, ...cells));
}

function line(row, at, columns) {
  const cells = columns.map((c) => el("td", { role: "gridcell", class: c.class }, ...[c.cell(row)].flat()));
  return el("tr", { "data-at": at, "aria-rowindex": at + 2, tabindex: -1, "aria-selected": "false" }, ...cells);
}

function mark(table, { at, page }, focus) {
  for (const row of table.querySelectorAll("tr[data-at]")) {
    const own = Number(row.dataset.at);
    const chosen = own === at;
    row.setAttribute("aria-selected", String(chosen));
    // Where nothing is chosen the first row still lets the keyboard in.
    row.tabIndex = chosen || (Math.floor(at / PAGE) !== page && own === page * PAGE) ? 0 : -1;
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
