/** Taking the result away: corrected labels as .atr and CSV. */

import { NO_ANSWER, ServiceProblem, problemOf } from "./api.js";
import { byId, show } from "./dom.js";
import { recordingAsCsv, save } from "./exports.js";

/** Sets up the buttons that save files. */
export function setUpTaking(desk) {
  byId("save-csv").addEventListener("click", () => save(`${desk.recording.name}-beats.csv`, "text/csv", recordingAsCsv(desk)));
  byId("save-atr").addEventListener("click", () => saveAnnotations(desk));
  desk.on(["recording"], () => show(byId("save-atr"), desk.recording.onPaper));
}

async function saveAnnotations(desk) {
  const box = byId("save-problem");
  show(box, false);
  try {
    save(`${desk.recording.name}.atr`, "application/x-wfdb-annotation", await annotations(desk));
  } catch (error) {
    box.textContent = [error.message, ...(error.lines ?? [])].join(" ");
    show(box, true);
  }
}

/** The beats as an .atr file's bytes; a reviewed beat's note names what the model had answered. */
async function annotations({ recording, review }) {
  const indices = Array.from({ length: recording.beats.count }, (_, i) => i);
  const body = JSON.stringify({
    fs: recording.record.fs,
    sample: recording.beats.sample,
    aami_class: indices.map(review.letter),
    note: indices.map((i) => (review.isReviewed(i) ? `reviewed; model: ${review.model(i)}` : null)),
  });
  const headers = { "Content-Type": "application/json", Accept: "application/x-wfdb-annotation, application/problem+json" };
  const response = await fetch("/v1/annotations", { method: "POST", headers, body }).catch(() => {
    throw new ServiceProblem(NO_ANSWER);
  });
  if (response.ok) return response.arrayBuffer();
  throw problemOf(response.status, await response.json().catch(() => ({})), "The service did not accept the labels.", String);
}
