/** The link to a moment: #t=123.4 names the middle of the paper. */

import { goTo } from "./desk.js";
import { byId, show } from "./dom.js";
import { clock } from "./recording.js";
import { selectNearest } from "./stepping.js";

const WRITE_AFTER_MS = 250; // Browsers refuse an address that changes with every frame.

/** Reads the address when a recording opens or the reader changes it, and writes it while the paper moves. */
export function setUpMoment(desk) {
  let timer = 0;
  hint();
  desk.on(["moment"], () => {
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", `#t=${desk.moment.toFixed(1)}`), WRITE_AFTER_MS);
  });
  // Only the first recording is the one the link was meant for.
  let followed = false;
  desk.on(["recording"], () => {
    if (followed || !desk.recording.onPaper) return;
    followed = true;
    follow(desk);
  });
  addEventListener("hashchange", () => (desk.recording?.onPaper ? follow(desk) : hint()));
}

/** Goes to the moment that the address names, and selects the beat there. */
function follow(desk) {
  const t = momentOf(location.hash);
  show(byId("moment-hint"), false);
  if (t === null) return;
  goTo(desk, t);
  selectNearest(desk, t);
}

function momentOf(hash) {
  const found = /^#t=(\d+(?:\.\d+)?)$/.exec(hash);
  return found ? Number(found[1]) : null;
}

/** Recordings are not stored: whoever follows a link must open the file first. */
function hint() {
  const t = momentOf(location.hash);
  show(byId("moment-hint"), t !== null);
  if (t !== null) byId("moment-hint").textContent = `The link names the moment ${clock(t, 1)}. Open its recording to go there; recordings are not stored.`;
}
