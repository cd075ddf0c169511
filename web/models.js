/** What both pages ask of the service when they open: is it ready, and which models of beats does it run. */

import { getJson, isReady } from "./api.js";
import { tellsBeats } from "./classes.js";
import { byId, el, show } from "./dom.js";

/** Fills the list #model; its field shows only where there is a choice. */
export async function loadModels() {
  try {
    const models = (await getJson("/v1/models")).models.filter(tellsBeats);
    const usual = el("option", { value: "" }, "the default");
    byId("model").replaceChildren(usual, ...models.map((m) => el("option", { value: m.name }, `${m.name} ${m.version}`)));
    show(byId("model-field"), models.length > 1);
  } catch {
    byId("model").replaceChildren();
  }
}

/** Says so in #not-ready when the service cannot classify yet. */
export async function checkReady() {
  if (await isReady()) return;
  byId("not-ready").textContent = "The service is not ready yet: its model is missing or still loading. Classifying may fail.";
  show(byId("not-ready"), true);
}
