/** What people usually do next: the service is asked only when the reader wants it, and the files go there once more. */

import { ServiceProblem } from "./api.js";
import { byId, el, plural, show } from "./dom.js";
import { sendRecording } from "./upload.js";

/** Sets up the disclosure #advice; separate beats have no figures to look anything up by. */
export function setUpAdvice(desk) {
  let running = null;

  async function ask() {
    const { files, options } = desk.recording.sent;
    const sending = sendRecording(files, { ...options, age: byId("advice-age").value }, STEPS, { advice: "true" });
    setRunning(sending);
    say("Asking the service …");
    try {
      const { advice } = await sending.answer;
      if (running === sending) showAdvice(advice);
    } catch (error) {
      if (running === sending) fail(error);
    } finally {
      if (running === sending) setRunning(null);
    }
  }

  function setRunning(sending) {
    running = sending;
    byId("advice-ask").disabled = sending !== null;
  }

  byId("advice-form").addEventListener("submit", (event) => {
    event.preventDefault();
    clear();
    ask();
  });
  desk.on(["recording"], () => {
    running?.cancel();
    setRunning(null);
    clear();
    byId("advice").open = false;
    byId("advice-age").value = "";
    show(byId("advice"), desk.recording.summary !== null);
  });
}

const say = (text) => (byId("advice-status").textContent = text);
const STEPS = { onProgress: () => say("Uploading …"), onSent: () => say("Reading and analysing …") };

function clear() {
  say("");
  show(byId("advice-problem"), false);
  byId("advice-lines").replaceChildren();
}

function showAdvice({ age_band: band, lines }) {
  say(`${plural(lines.length, "line")}; age: ${band}.`);
  byId("advice-lines").replaceChildren(...lines.map((line, i) => itemOf(line, lines[i - 1]?.finding)));
}

/** A line of the table; its finding stands once above all lines that it has. */
function itemOf({ finding, text, source }, before) {
  const title = finding === before ? [] : [el("h4", {}, finding.charAt(0).toUpperCase() + finding.slice(1))];
  return el("li", {}, ...title, el("p", {}, text), el("p", { class: "hint" }, "Source: ", ...citations(source)));
}

/** "Words, doi:10.1/a; words, doi:10.1/b" as links; a new tab, because recordings are not stored. */
function citations(source) {
  return source.split("; ").flatMap((citation, i) => {
    const [words, doi] = citation.split(", doi:");
    const link = el("a", { href: `https://doi.org/${encodeURI(doi)}`, target: "_blank", rel: "noopener noreferrer" }, words);
    return i > 0 ? ["; ", link] : [link];
  });
}

function fail(error) {
  say("");
  if (!(error instanceof ServiceProblem)) console.error(error);
  byId("advice-problem").textContent = error instanceof ServiceProblem ? [error.message, ...error.lines].join(" ") : "The answer could not be shown.";
  show(byId("advice-problem"), true);
}
