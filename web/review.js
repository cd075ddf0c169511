/** A reader's corrections: labels beside the model's answer, with undo and redo. */

import { CLASSES } from "./classes.js";

/** Returns the review of a recording's beats; the model's own answer is never written to. */
export function createReview({ codes }) {
  const labels = Uint8Array.from(codes);
  const reviewed = new Uint8Array(codes.length);
  const [done, undone] = [[], []];
  const put = (i, label, seen) => {
    labels[i] = label;
    reviewed[i] = seen;
    return i;
  };
  return {
    letter: (i) => CLASSES[labels[i]],
    model: (i) => CLASSES[codes[i]],
    isReviewed: (i) => reviewed[i] === 1,
    isChanged: (i) => labels[i] !== codes[i],
    counts: () => tally(labels),
    get reviewedCount() {
      return reviewed.reduce((sum, one) => sum + one, 0);
    },
    get canUndo() {
      return done.length > 0;
    },
    get canRedo() {
      return undone.length > 0;
    },
    /** Gives a beat a label; the model's own letter confirms it. */
    label(i, letter) {
      const to = CLASSES.indexOf(letter);
      done.push({ i, from: [labels[i], reviewed[i]], to: [to, 1] });
      undone.length = 0;
      return put(i, to, 1);
    },
    /** Takes back the last label and returns its beat, or -1. */
    undo() {
      if (done.length === 0) return -1;
      const change = done.pop();
      undone.push(change);
      return put(change.i, ...change.from);
    },
    redo() {
      if (undone.length === 0) return -1;
      const change = undone.pop();
      done.push(change);
      return put(change.i, ...change.to);
    },
  };
}

function tally(labels) {
  const counts = Object.fromEntries(CLASSES.map((c) => [c, 0]));
  for (const label of labels) counts[CLASSES[label]] += 1;
  return counts;
}
