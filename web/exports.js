/** The result as files that the browser saves; nothing is sent anywhere. */

import { CLASSES } from "./classes.js";
import { el } from "./dom.js";

const NOTICE = "Research and education, not a medical device.";

export function resultAsCsv({ rows, model }) {
  const head = ["beat", "row", "label", "aami_class", "confidence", ...CLASSES.map((c) => `proba_${c}`), "model", "model_version"];
  const lines = rows.map(({ number, row, label, answer }) => {
    const proba = CLASSES.map((c) => answer.proba[c] ?? "");
    return [number, row ?? "", label ?? "", answer.aami_class, answer.confidence, ...proba, model.name, model.version];
  });
  return toCsv([head, ...lines]);
}

/** The beats of a recording; `reviewed` stands apart from what the model answered. */
export function recordingAsCsv({ recording, review }) {
  const { sample, timeS, rr, letters, confidence, quality } = recording.beats;
  const head = ["sample", "time_s", "aami_class", "model_class", "confidence", "rr_s", "quality", "reviewed"];
  const lines = letters.map((letter, i) => {
    const reviewed = review.isReviewed(i) ? "true" : "false";
    return [sample[i] ?? "", timeS[i] ?? "", review.letter(i), letter, confidence[i] ?? "", rr[i] ?? "", quality[i] ?? "", reviewed];
  });
  return toCsv([head, ...lines]);
}

const toCsv = (lines) => lines.map((cells) => cells.map(quote).join(",")).join("\r\n") + "\r\n";

const quote = (cell) => (/[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell));

export function resultAsJson({ rows, model, fs, timingMs }) {
  const beats = rows.map(({ number, row, title, label, answer }) => ({ beat: number, row, title, label, ...answer }));
  return JSON.stringify({ notice: NOTICE, fs, model, timing_ms: timingMs, beats }, null, 2) + "\n";
}

/** Lets the browser save text or bytes as a file. */
export function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
