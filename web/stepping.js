/** Going from beat to beat: select, next, previous, and which beats the filter lets through. */

import { firstFrom, nearestBeat } from "./recording.js";
import { goTo, windowOf } from "./desk.js";

const MARGIN = 0.08; // Share of the paper at each edge where a selected beat is not in view.

/** Selects a beat (or none, -1), and brings it into view when it is not. */
export function selectBeat(desk, index, bring = true) {
  desk.set({ selected: index });
  if (index < 0 || !bring || !desk.recording.onPaper) return;
  const t = desk.recording.beats.timeS[index];
  const { start, span } = windowOf(desk);
  if (t < start + MARGIN * span || t > start + (1 - MARGIN) * span) goTo(desk, t);
}

/** The letter of a filter, "all" or "reviewed", lets a beat through when this says so. */
export function lets(desk, filter) {
  if (filter === "all") return () => true;
  if (filter === "reviewed") return desk.review.isReviewed;
  return (i) => desk.review.letter(i) === filter;
}

/** Lists the beats of a class, of all, or those reviewed. */
export function setFilter(desk, filter) {
  const through = lets(desk, filter);
  const listed = [];
  for (let i = 0; i < desk.recording.beats.count; i += 1) if (through(i)) listed.push(i);
  desk.set({ filter, listed: Int32Array.from(listed) });
}

/** Selects the next (+1) or previous (-1) beat, whatever its class. */
export function stepBeat(desk, way) {
  step(desk, way, () => true);
}

/** Selects the next (+1) or previous (-1) beat that is not N, or that the filter lets through. */
export function stepListed(desk, way) {
  const { beats } = desk.recording;
  const other = (i) => desk.review.letter(i) !== "N" && beats.confidence[i] !== null;
  return step(desk, way, desk.filter === "all" ? other : lets(desk, desk.filter));
}

function step(desk, way, wanted) {
  let i = from(desk, way) + way;
  while (i >= 0 && i < desk.recording.beats.count && !wanted(i)) i += way;
  if (i < 0 || i >= desk.recording.beats.count) return false;
  selectBeat(desk, i);
  return true;
}

/** Steps go from the selected beat if it is in view, else from the middle of the paper. */
function from(desk, way) {
  const { beats, onPaper } = desk.recording;
  if (!onPaper) return desk.selected;
  const { start, end } = windowOf(desk);
  const t = beats.timeS[desk.selected];
  if (t >= start && t <= end) return desk.selected;
  if (desk.selected < 0 && desk.moment <= (end - start) / 2 && way > 0) return -1;
  return firstFrom(beats.timeS, (start + end) / 2) - (way > 0 ? 1 : 0);
}

/** Selects the beat that is nearest to a moment. */
export function selectNearest(desk, t) {
  selectBeat(desk, nearestBeat(desk.recording.beats, t), false);
}
