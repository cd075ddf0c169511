/** Talks to the service, and turns its problems into words about the reader's own rows. */

import { grouped, plural } from "./dom.js";

// Several requests instead of one keep each body small and let the progress bar move.
const BEATS_PER_REQUEST = 1000;
const EXPLAINED = 100; // As many as the service explains in one request.

/** When no answer came at all. */
export const NO_ANSWER = "The service did not answer. Check that it is running and try again.";

/** What went wrong, in sentences for the reader. */
export class ServiceProblem extends Error {
  constructor(summary, lines = [], fields = []) {
    super(summary);
    this.lines = lines;
    this.fields = fields;
  }
}

export async function getJson(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new ServiceProblem(`${path} answered ${response.status}.`);
  return response.json();
}

/** True when the service says that it can classify. */
export async function isReady() {
  try {
    return (await fetch("/health/ready")).ok;
  } catch {
    return false;
  }
}

/** Classifies a job {beats, fs, model}; returns {answers, explanations, model, timingMs}. */
export async function classify(job, { signal, onProgress }) {
  const answers = [];
  const explain = job.beats.length <= EXPLAINED;
  let model = null;
  let explanations = null;
  let timingMs = 0;
  for (let start = 0; start < job.beats.length; start += BEATS_PER_REQUEST) {
    const part = job.beats.slice(start, start + BEATS_PER_REQUEST);
    const answer = await postBeats(part, { ...job, explain }, signal);
    answers.push(...answer.beats);
    ({ model, explanations } = answer);
    timingMs += answer.timing_ms;
    onProgress(answers.length);
  }
  return { answers, explanations, model, timingMs };
}

async function postBeats(beats, job, signal) {
  const body = JSON.stringify(requestBody(beats, job));
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const response = await fetch("/v1/beats", { method: "POST", headers, body, signal }).catch((error) => {
    throw error.name === "AbortError" ? error : new ServiceProblem(NO_ANSWER);
  });
  if (!response.ok) throw await readProblem(response, beats);
  const answer = await response.json();
  if (answer.beats?.length !== beats.length) throw new ServiceProblem("The service left some beats unanswered.");
  return answer;
}

function requestBody(beats, { fs, model, explain }) {
  // Six significant digits are finer than any ECG amplifier and halve the upload.
  const body = { fs, beats: beats.map((beat) => beat.signal.map((x) => Number(x.toPrecision(6)))) };
  if (beats.some((beat) => Number.isInteger(beat.rPeak))) body.r_peak = beats.map((beat) => beat.rPeak ?? null);
  if (beats.some((beat) => beat.rr)) body.rr = beats.map((beat) => beat.rr ?? null);
  if (model) body.model = model;
  if (explain) body.explain = true;
  return body;
}

const STATUS_WORDS = {
  401: "The service wants an API key, which this page cannot send.",
  403: "The service refused the request.",
  413: "The service says that this is too much at once.",
  415: "The service did not take the format of the request.",
  429: "Too many requests just now. Wait a little and try again.",
  503: "The service is not ready or is busy. Wait a little and try again.",
};

async function readProblem(response, beats) {
  const problem = await response.json().catch(() => ({}));
  return problemOf(response.status, problem, "The service did not accept the beats.", (field) => whereIs(field, beats));
}

/** A problem document (RFC 9457) as sentences; nameOf(field) is what the reader calls a field. */
export function problemOf(status, problem, refused, nameOf) {
  const errors = Array.isArray(problem?.errors) ? problem.errors : [];
  const lines = errors.map((error) => sentence(error, nameOf));
  const summary = STATUS_WORDS[status] ?? (status >= 500 ? "The service failed on this request." : refused);
  const fields = errors.map((error) => String(error.field ?? ""));
  return new ServiceProblem(summary, lines.length > 0 ? lines : [problem?.detail].filter(Boolean), fields);
}

function sentence({ field, problem, accepted }, nameOf) {
  const wanted = accepted ? ` Accepted: ${accepted}.` : "";
  return `${nameOf(String(field ?? ""))}: ${problem ?? "not accepted"}.${wanted}`.replace(/\.\.+/g, ".");
}

/** "beats[0][3]" -> "Row 2, column 4", by the row that the beat came from. */
function whereIs(field, beats) {
  const [, name, index, sample] = field.match(/(beats|r_peak|rr)\W+(\d+)(?:\W+(\d+))?/) ?? [];
  const beat = beats[Number(index)];
  if (beat === undefined) return { fs: "Sampling rate", model: "Model" }[field] ?? (field || "Request");
  const place = beat.row ? `Row ${grouped(beat.row)}` : beat.title;
  if (name !== "beats") return `${place}, ${name === "rr" ? "RR intervals" : "R peak"}`;
  if (sample === undefined) return place;
  return beat.row ? `${place}, column ${columnOf(Number(sample), beat.skip)}` : `${place}, sample ${Number(sample) + 1}`;
}

/** The column, from 1, of the n-th sample of a row that has other columns between. */
function columnOf(sample, skip) {
  return [...skip].sort((a, b) => a - b).reduce((column, other) => (other <= column ? column + 1 : column), sample) + 1;
}

/** "Classified 12 beats in 3 ms by convxgb 0.1.0 (1a2b3c4d)" in its parts. */
export function factsOf({ answers, model, timingMs }, fs) {
  const hash = String(model.sha256 ?? "").slice(0, 12);
  const time = timingMs < 10 ? timingMs.toFixed(1) : grouped(Math.round(timingMs));
  return { beats: plural(answers.length, "beat"), fs: `${fs} Hz`, model: `${model.name} ${model.version}`, hash, time: `${time} ms` };
}
