/** Where beats come from: the open tab, its CSV text, and the settings beside it. */

import { MAX_BYTES, lengthProblems, looksScaled, parseBeats } from "./csv.js";
import { byId, show } from "./dom.js";

const READ_AFTER_MS = 250;
const MAX_LINES = 5;

/** Returns {tab(name), job(), parsed()}; onChange is called when there is more or less to classify. */
export function createSource(onChange) {
  const texts = { paste: "", file: "" };
  const state = { tab: "samples", parsed: null };
  let timer = 0;
  const text = () => texts[state.tab] ?? "";

  function read() {
    clearTimeout(timer);
    timer = 0;
    state.parsed = text().trim() === "" ? null : parseBeats(text(), byId("label-column").value);
    byId("found").textContent = state.parsed?.found ?? "";
    showProblem("", []);
    if (state.parsed) suggest(state.parsed.beats);
    onChange();
  }

  byId("csv-text").addEventListener("input", (event) => {
    texts.paste = event.target.value;
    clearTimeout(timer);
    timer = setTimeout(read, READ_AFTER_MS);
  });
  byId("label-column").addEventListener("change", read);
  setUpFile((text) => {
    texts.file = text;
    read();
  });

  return {
    open(tab) {
      state.tab = tab;
      show(byId("csv-settings"), tab !== "samples");
      read();
    },
    get tab() {
      return state.tab;
    },
    parsed: () => state.parsed,
    job() {
      if (timer) read(); // Typed a moment ago and not read yet.
      return checkedJob(state.parsed);
    },
  };
}

/** The rows as a job, or null after saying what is wrong with them. */
function checkedJob(parsed) {
  const fs = Number(byId("fs").value);
  const badRate = !byId("fs").checkValidity();
  byId("fs").setAttribute("aria-invalid", String(badRate));
  if (badRate) return refuse("Sampling rate: a number from 100 to 2000 Hz is accepted.", []);
  if (!parsed || parsed.beats.length === 0) return refuse("There are no beats yet. Paste or choose rows of numbers.", []);
  if (parsed.problems.length > 0) return refuse("Some cells could not be read.", parsed.problems);
  const lengths = lengthProblems(parsed.beats, fs);
  if (lengths.length > 0) return refuse("Some beats are too short or too long.", lengths);
  const unit = byId("unit").value;
  return { fs, unitKnown: unit !== "unknown", beats: parsed.beats.map((beat) => inMillivolts(beat, unit)) };
}

function inMillivolts(beat, unit) {
  return unit === "uV" ? { ...beat, signal: beat.signal.map((x) => x / 1000) } : beat;
}

function refuse(summary, lines) {
  showProblem(summary, lines);
  return null;
}

/** Writes a problem next to the input; an empty summary takes it away. */
export function showProblem(summary, lines) {
  const box = byId("input-problem");
  const more = lines.length > MAX_LINES ? [`And ${lines.length - MAX_LINES} more.`] : [];
  const items = [...lines.slice(0, MAX_LINES), ...more].map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  });
  const list = document.createElement("ul");
  list.append(...items);
  box.replaceChildren(summary, ...(items.length > 0 ? [list] : []));
  show(box, summary !== "");
  byId("csv-text").setAttribute("aria-invalid", String(summary !== "" && lines.length > 0));
}

/** Numbers scaled 0 to 1 have no unit any more; the reader may still say otherwise. */
function suggest(beats) {
  if (!looksScaled(beats)) return;
  byId("unit").value = "unknown";
  const rate = beats[0].signal.length === 187 ? " The well-known 187-sample beats were taken at 125 Hz." : "";
  byId("found").textContent += ` The numbers are scaled 0 to 1, so their unit is unknown.${rate}`;
}

function setUpFile(onText) {
  const [input, drop] = [byId("csv-file"), byId("drop")];
  const take = async (file) => {
    if (!file) return;
    onText("");
    const size = (file.size / 1e6).toFixed(1);
    if (file.size > MAX_BYTES) return showProblem(`This file has ${size} MB; up to 20 MB are accepted.`, []);
    byId("found").textContent = "Reading the file …";
    try {
      onText(await file.text());
    } catch {
      showProblem("The file could not be read.", []);
    }
  };
  input.addEventListener("change", () => take(input.files[0]));
  const over = (on) => (event) => {
    event.preventDefault();
    drop.classList.toggle("over", on);
  };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => {
    over(false)(event);
    input.files = event.dataTransfer.files;
    take(event.dataTransfer.files[0]);
  });
}
