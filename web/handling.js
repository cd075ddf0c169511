/** Pointer and wheel on the paper: drag to pan or to measure, click to select, Ctrl and wheel to zoom. */

import { byId } from "./dom.js";
import { goTo, pan, windowOf, zoomBy } from "./desk.js";
import { nearestBeat } from "./recording.js";
import { selectBeat } from "./stepping.js";
import { mvAt, timeAt } from "./strip.js";

const CLICK_PX = 4;
const REACH_PX = 40;

/** Sets up the paper for mouse, pen and touch. */
export function setUpHandling(desk, paper) {
  const canvas = byId("paper");
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !paper.strip()) return;
    const { start, span } = windowOf(desk);
    drag = { x: event.offsetX, y: event.offsetY, middle: start + span / 2, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag === null) return;
    drag.moved ||= Math.hypot(event.offsetX - drag.x, event.offsetY - drag.y) > CLICK_PX;
    if (drag.moved) follow(desk, paper.strip(), drag, event);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) click(desk, paper.strip(), event);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("wheel", (event) => turn(desk, event), { passive: false });
}

function follow(desk, strip, drag, event) {
  if (!desk.measuring) return goTo(desk, drag.middle - (event.offsetX - drag.x) / strip.pxPerS);
  const [t0, t1] = [timeAt(strip, drag.x), timeAt(strip, event.offsetX)];
  desk.set({ caliper: { t0, t1, v0: mvAt(strip, drag.y), v1: mvAt(strip, event.offsetY) } });
}

function click(desk, strip, event) {
  const t = timeAt(strip, event.offsetX);
  const nearest = nearestBeat(desk.recording.beats, t);
  if (nearest < 0) return;
  const near = Math.abs(desk.recording.beats.timeS[nearest] - t) * strip.pxPerS < REACH_PX;
  if (near) selectBeat(desk, nearest, false);
}

/** A plain wheel scrolls the page, as everywhere; sideways or with Shift it pans, with Ctrl it zooms. */
function turn(desk, event) {
  if (!desk.recording?.onPaper) return;
  const across = event.deltaX || (event.shiftKey ? event.deltaY : 0);
  if (event.ctrlKey) zoomBy(desk, event.deltaY < 0 ? 1 : -1);
  else if (across !== 0) pan(desk, across / windowOf(desk).pxPerS);
  else return;
  event.preventDefault();
}
