/** Opening a recording: drop or choose files, or the example; settings, limits, progress, and what was wrong. */

import { ServiceProblem, getJson } from "./api.js";
import { byId, el, grouped, plural, show } from "./dom.js";
import { sendRecording } from "./upload.js";

const EXAMPLE = "/static/example/mitdb-208.zip";
const SETTINGS = ["fs", "unit", "lead", "model"];
const MB = 1024 * 1024;

/** Sets up the form; onAnswer(answer, name, {files, options}) when the service has answered what was sent. */
export function createOpening(onAnswer) {
  const state = { running: null, limits: null, ticking: 0 };
  readLimits().then((limits) => (state.limits = limits));

  async function open(files, options = settings()) {
    if (state.running !== null || files.length === 0) return;
    showProblem(null);
    const problem = tooMuch(files, state.limits);
    if (problem) return showProblem(problem);
    await run(files, options);
  }

  async function run(files, options) {
    const size = files.reduce((sum, file) => sum + file.size, 0);
    const sending = sendRecording(files, options, {
      onProgress: (share) => say(`Uploading ${megabytes(size)} …`, share),
      onSent: () => say("Reading and analysing …", null),
    });
    setRunning(sending);
    say("Uploading …", 0);
    try {
      const answer = await sending.answer;
      say("Drawing …", null);
      onAnswer(answer, nameOf(files), { files, options });
      say("", null);
    } catch (error) {
      fail(error);
    } finally {
      setRunning(null);
    }
  }

  function setRunning(sending) {
    state.running = sending;
    clearInterval(state.ticking);
    const since = Date.now();
    const tick = () => (byId("elapsed").textContent = `${Math.round((Date.now() - since) / 1000)} s`);
    if (sending !== null) state.ticking = setInterval(tick, 1000);
    byId("elapsed").textContent = "";
    show(byId("busy"), sending !== null);
    for (const id of ["files", "example"]) byId(id).disabled = sending !== null;
  }

  byId("cancel").addEventListener("click", () => state.running?.cancel());
  byId("example").addEventListener("click", async () => open(await exampleFile(), { model: byId("model").value }));
  byId("files").addEventListener("change", () => {
    // The browser says nothing when the same files are chosen again.
    show(byId("again"), byId("files").files.length > 0);
    open([...byId("files").files]);
  });
  byId("again").addEventListener("click", () => open([...byId("files").files]));
  setUpDrop(byId("drop"), open);
}

function settings() {
  return Object.fromEntries(SETTINGS.map((name) => [name, byId(name).value.trim()]));
}

async function readLimits() {
  try {
    const limits = await getJson("/v1/limits");
    const [low, high] = limits.fs;
    const sizes = `Up to ${megabytes(limits.max_record_bytes)}, ${plural(limits.max_files, "file")} and ${limits.max_hours} hours; ${low} to ${grouped(high)} Hz.`;
    byId("limits").textContent = limits.formats ? `Formats: ${limits.formats.join(", ")}. ${sizes}` : sizes;
    return limits;
  } catch {
    return null; // The service then says itself what was too much.
  }
}

const megabytes = (bytes) => (bytes < MB ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / MB).toFixed(bytes < 10 * MB ? 1 : 0)} MB`);

function tooMuch(files, limits) {
  if (limits === null) return null;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > limits.max_record_bytes) return new ServiceProblem(`This is ${megabytes(size)}; up to ${megabytes(limits.max_record_bytes)} are accepted.`);
  if (files.length > limits.max_files) return new ServiceProblem(`These are ${files.length} files; up to ${limits.max_files} are accepted.`);
  return null;
}

/** The name of the header, or of the first file, without its ending. */
function nameOf(files) {
  const main = files.find((file) => file.name.toLowerCase().endsWith(".hea")) ?? files[0];
  return main.name.replace(/\.[^.]+$/, "");
}

async function exampleFile() {
  try {
    const response = await fetch(EXAMPLE);
    if (!response.ok) throw new ServiceProblem("");
    return [new File([await response.blob()], EXAMPLE.split("/").at(-1))];
  } catch {
    showProblem(new ServiceProblem("The example recording is not there."));
    return [];
  }
}

function say(text, share) {
  byId("status").textContent = text;
  const bar = byId("progress");
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

function fail(error) {
  say(error.name === "AbortError" ? "Cancelled." : "", null);
  if (error.name === "AbortError") return;
  if (error instanceof ServiceProblem) return showProblem(error);
  showProblem(new ServiceProblem("The answer could not be shown."));
  console.error(error);
}

/** Shows a problem, and leads to the setting that it is about. */
function showProblem(problem) {
  const box = byId("input-problem");
  show(box, problem !== null);
  for (const name of SETTINGS) byId(name).setAttribute("aria-invalid", "false");
  if (problem === null) return;
  const lines = problem.lines.length > 0 ? [el("ul", {}, ...problem.lines.map((text) => el("li", {}, text)))] : [];
  box.replaceChildren(problem.message, ...lines);
  byId("opening").open = true;
  const field = SETTINGS.find((name) => problem.fields.some((given) => given.split(".").at(-1) === name));
  if (!field) return;
  byId("settings").open = true;
  byId(field).setAttribute("aria-invalid", "true");
  byId(field).focus();
}

function setUpDrop(zone, open) {
  // The whole page takes a drop: a file beside the zone would else replace the page.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && zone.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length === 0) return;
    byId("files").files = event.dataTransfer.files;
    show(byId("again"), true);
    open([...event.dataTransfer.files]);
  });
}
