/** CSV text -> beats: separator, header, row numbers and labels are found, and every bad cell is named. */

import { CLASSES } from "./classes.js";
import { grouped, plural } from "./dom.js";

export const MAX_BEATS = 10_000;
export const MAX_BYTES = 20_000_000;
const SHORTEST_S = 0.3;
const LONGEST_S = 10;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const DECIMAL_COMMA = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i;
const LABEL_NAME = /^(label|class|target|aami|aami_class|type)$/i;
const INDEX_NAME = /^(|index|id|unnamed: 0)$/i;
const SEPARATORS = { ";": "semicolon", "\t": "tab", ",": "comma", " ": "space" };
// The published 188-column files (187 samples and a number 0 to 4) are so common that one row is enough.
const KNOWN_WIDTH = 188;

const isLetter = (cell) => cell !== undefined && cell.length === 1 && CLASSES.includes(cell.toUpperCase());
const isDigit = (cell) => NUMBER.test(cell ?? "") && [0, 1, 2, 3, 4].includes(Number(cell));
const isNumber = (cell) => NUMBER.test(cell) || DECIMAL_COMMA.test(cell);
const last = (row) => row.cells[row.cells.length - 1];

/** Returns {beats: [{signal, label, row, skip}], problems: [text], found: text}; rows count from 1. */
export function parseBeats(text, labelColumn = "auto") {
  const separator = findSeparator(text);
  const rows = readRows(text, separator);
  if (rows.length === 0) return { beats: [], problems: [], found: "", total: 0 };
  const header = isHeader(rows[0].cells) ? rows.shift().cells : null;
  const total = rows.length;
  rows.length = Math.min(total, MAX_BEATS);
  const indexed = hasRowNumbers(header, rows);
  const label = findLabel(header, rows, labelColumn, indexed ? 1 : 0);
  const problems = [];
  const beats = rows.map((row) => readBeat(row, label, indexed, problems));
  const notes = { separator, header, indexed, label, total };
  return { beats, problems, found: describe(beats, notes), total };
}

function findSeparator(text) {
  const start = text.slice(0, 100_000);
  return [";", "\t", ","].find((mark) => start.includes(mark)) ?? " ";
}

function readRows(text, separator) {
  const rows = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  lines.forEach((line, i) => {
    if (line.trim() !== "") rows.push({ row: i + 1, cells: splitLine(line, separator) });
  });
  return rows.filter((row) => row.cells.length > 0);
}

function splitLine(line, separator) {
  const parts = separator === " " ? line.trim().split(/\s+/) : line.split(separator);
  const cells = parts.map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2").trim());
  while (cells.length > 0 && cells[cells.length - 1] === "") cells.pop();
  return cells;
}

function isHeader(cells) {
  const words = cells.filter((cell) => !isNumber(cell) && !isLetter(cell)).length;
  const counting = cells.filter((cell, i) => cell === String(i) || cell === String(i - 1)).length;
  const counts = cells.length >= 10 && counting > 0.8 * cells.length;
  return words > cells.length / 2 || counts || cells.some((cell) => LABEL_NAME.test(cell));
}

function hasRowNumbers(header, rows) {
  return header !== null && INDEX_NAME.test(header[0]) && rows.every((row) => /^\d+$/.test(row.cells[0]));
}

/** Where the label stands: {place: "first" | "last" | "named" | "none", at, digits}. */
function findLabel(header, rows, wanted, first) {
  const none = { place: "none" };
  if (wanted === "none" || rows.length === 0) return none;
  if (wanted !== "auto") return labelAt(wanted, rows, first);
  const named = header === null ? -1 : header.findIndex((cell) => LABEL_NAME.test(cell));
  if (named >= 0 && named === header.length - 1) return labelAt("last", rows, first);
  if (named >= 0) return labelAt(named === first ? "first" : "named", rows, named);
  const letters = (pick) => rows.filter((row) => isLetter(pick(row))).length > rows.length / 2;
  if (letters(last)) return labelAt("last", rows, first);
  if (letters((row) => row.cells[first])) return labelAt("first", rows, first);
  return endsInDigits(rows) ? labelAt("last", rows, first) : none;
}

function labelAt(place, rows, at) {
  const digits = rows.every((row) => isDigit(place === "last" ? last(row) : row.cells[at]));
  return { place, at, digits };
}

/** Integers 0 to 4 in the last column, in a table where they cannot well be samples. */
function endsInDigits(rows) {
  if (!rows.every((row) => isDigit(last(row)))) return false;
  if (rows.every((row) => row.cells.length === KNOWN_WIDTH)) return true;
  const different = new Set(rows.map((row) => Number(last(row)))).size > 1;
  const fractions = rows.some((row) => row.cells.slice(0, -1).some((cell) => /[.,]\d*[1-9]/.test(cell)));
  return different && fractions;
}

function readBeat({ row, cells }, label, indexed, problems) {
  const at = label.place === "last" ? cells.length - 1 : label.place === "none" ? -1 : label.at;
  const skip = [...(indexed ? [0] : []), ...(at >= 0 ? [at] : [])];
  const signal = [];
  cells.forEach((cell, column) => {
    if (skip.includes(column)) return;
    const value = isNumber(cell) ? Number(cell.replace(",", ".")) : NaN;
    if (!Number.isFinite(value)) problems.push(badCell(row, column, cell));
    signal.push(value);
  });
  return { signal, label: readLabel(row, at, cells[at], problems), row, skip };
}

function badCell(row, column, cell) {
  const what = cell === "" ? "is empty" : `“${cell.slice(0, 20)}” is not a number`;
  return `Row ${grouped(row)}, column ${column + 1}: ${what}.`;
}

function readLabel(row, at, cell, problems) {
  if (at < 0 || cell === undefined || cell === "") return null;
  if (isLetter(cell)) return cell.toUpperCase();
  if (isDigit(cell)) return CLASSES[Number(cell)];
  problems.push(`Row ${grouped(row)}, column ${at + 1}: “${cell.slice(0, 20)}” is not a label (N, S, V, F, Q or 0 to 4).`);
  return null;
}

function describe(beats, { separator, header, indexed, label, total }) {
  const lengths = beats.map((beat) => beat.signal.length);
  const [low, high] = [lengths.reduce((a, b) => Math.min(a, b), Infinity), lengths.reduce((a, b) => Math.max(a, b), 0)];
  const samples = low === high ? plural(low, "sample") : `${grouped(low)} to ${plural(high, "sample")}`;
  const where = { none: "no label column", first: "label in the first column", last: "label in the last column" };
  const parts = [`${plural(total, "beat")} of ${samples}`, where[label.place] ?? `label in column ${label.at + 1}`];
  if (label.digits) parts[1] += " (0 N, 1 S, 2 V, 3 F, 4 Q)";
  parts.push(`${SEPARATORS[separator]} separated`);
  if (header) parts.push("header row left out");
  if (indexed) parts.push("first column taken as row numbers");
  const cut = total > MAX_BEATS ? ` Only the first ${grouped(MAX_BEATS)} will be sent.` : "";
  return beats.length === 0 ? "Only a header row, no beats." : `Found: ${parts.join(", ")}.${cut}`;
}

/** Sentences about beats that are too short or too long at this sampling rate. */
export function lengthProblems(beats, fs) {
  const wrong = beats.filter((b) => b.signal.length < SHORTEST_S * fs || b.signal.length > LONGEST_S * fs);
  return wrong.map((beat) => {
    const seconds = (beat.signal.length / fs).toFixed(2);
    const length = `${plural(beat.signal.length, "sample")}, ${seconds} s at ${fs} Hz`;
    return `Row ${grouped(beat.row)} has ${length}; a beat may be ${SHORTEST_S} s to ${LONGEST_S} s long.`;
  });
}

/** True for tables scaled 0 to 1, as in the 188-column files: such numbers have lost their unit. */
export function looksScaled(beats) {
  const inside = (beat) => beat.signal.every((x) => x >= 0 && x <= 1);
  return beats.length > 0 && beats.every(inside) && beats.some((beat) => beat.signal.includes(1));
}
