/** The keyboard: letters work anywhere in the workbench, arrows on the paper, none of them in a field. */

import { pan, windowOf, zoomBy } from "./desk.js";
import { byId } from "./dom.js";
import { selectBeat, stepBeat } from "./stepping.js";
import { CLASSES } from "./classes.js";

const SHARE = 8; // An arrow pans by this part of the paper.
const LIFT_MM = 5;

/** Sets up the keys of the workbench. */
export function setUpKeys(desk, { beat, caliper, step }) {
  const letters = {
    n: () => step(1),
    p: () => step(-1),
    ".": () => stepBeat(desk, 1),
    ",": () => stepBeat(desk, -1),
    "+": () => zoomBy(desk, 1),
    "=": () => zoomBy(desk, 1),
    "-": () => zoomBy(desk, -1),
    0: () => zoomBy(desk, 0),
    c: caliper.toggle,
    u: beat.undo,
    Escape: () => (desk.measuring ? caliper.toggle() : selectBeat(desk, -1)),
  };
  byId("workbench").addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || !desk.recording) return;
    const action = actionOf(event, { desk, letters, beat, caliper });
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function actionOf(event, { desk, letters, beat, caliper }) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (ctrlKey || metaKey) {
    if (key.toLowerCase() === "z") return shiftKey ? beat.redo : beat.undo;
    return key.toLowerCase() === "y" ? beat.redo : null;
  }
  if (altKey) return null;
  // Shift makes the label letters: n alone steps, and a label never changes by a slip.
  if (shiftKey && CLASSES.includes(key.toUpperCase())) return () => beat.label(key.toUpperCase());
  if (event.target.id === "paper") {
    const moved = onPaper(desk, caliper, event);
    if (moved) return moved;
  }
  return shiftKey && key.length === 1 && key !== "+" ? null : (letters[key] ?? null);
}

function onPaper(desk, caliper, event) {
  if (!desk.recording.onPaper) return null;
  if (desk.measuring && event.key.startsWith("Arrow")) return () => caliper.move(event);
  const { span } = windowOf(desk);
  const by = event.shiftKey ? span * 0.9 : span / SHARE;
  const moves = {
    ArrowLeft: () => pan(desk, -by),
    ArrowRight: () => pan(desk, by),
    PageUp: () => pan(desk, -span * 0.9),
    PageDown: () => pan(desk, span * 0.9),
    Home: () => pan(desk, -Infinity),
    End: () => pan(desk, Infinity),
  };
  const lifts = { ArrowUp: LIFT_MM, ArrowDown: -LIFT_MM };
  if (event.shiftKey && event.key in lifts) return () => desk.set({ lift: desk.lift + lifts[event.key] });
  return moves[event.key] ?? null;
}

