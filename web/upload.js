/** Sends a recording to the service; XMLHttpRequest, because fetch tells nothing of an upload's progress. */

import { NO_ANSWER, ServiceProblem, problemOf } from "./api.js";

const FIELD_WORDS = { fs: "Sampling frequency", unit: "Unit", lead: "Lead", model: "Model", age: "Age", files: "File" };

const DRAWN = { trace: "true", proba: "true", explain: "true" };

/** Returns {answer, cancel()}; onProgress(share) while it uploads, onSent() when the service has it; wanted: parts of the answer. */
export function sendRecording(files, options, { onProgress, onSent }, wanted = DRAWN) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    request.open("POST", `/v1/records?${queryOf({ ...options, ...wanted })}`);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    request.upload.addEventListener("load", onSent);
    request.addEventListener("load", () => {
      if (request.status === 200 && request.response !== null) resolve(request.response);
      else reject(problemOf(request.status, request.response, "The service did not accept the recording.", nameOf));
    });
    request.addEventListener("error", () => reject(new ServiceProblem(NO_ANSWER)));
    request.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
    request.send(bodyOf(files));
  });
  return { answer, cancel: () => request.abort() };
}

function queryOf(options) {
  return new URLSearchParams(Object.entries(options).filter(([, value]) => value !== "" && value !== null));
}

function bodyOf(files) {
  const body = new FormData();
  for (const file of files) body.append("files", file, file.name);
  return body;
}

const nameOf = (field) => FIELD_WORDS[field.replace(/^(query|body)\./, "")] ?? (field || "Request");
