/** What stands on a strip besides the trace: a mark for every beat, and the quality of the signal. */

import { CLASSES, classPath } from "./classes.js";
import { write } from "./pen.js";
import { firstFrom } from "./recording.js";
import { xOf } from "./strip.js";

/** Height of the lane of marks above the paper, CSS px. */
export const LANE_PX = 34;
const MARK_PX = 13;
const SPACE_PX = 15; // An N nearer than this to the mark before it is only a tick.

/** Draws each beat's shape and letter above the paper; hollow where the signal was not good. */
export function drawMarks(pen, strip, ink, { recording, review, filter, lets, selected }) {
  const { timeS, quality } = recording.beats;
  let free = -Infinity;
  pen.textBaseline = "alphabetic";
  for (let i = firstFrom(timeS, strip.start); i < timeS.length && xOf(strip, timeS[i]) <= strip.width; i += 1) {
    const [x, letter] = [xOf(strip, timeS[i]), review.letter(i)];
    if (i === selected) drawSelected(pen, strip, x, ink);
    const aside = filter !== "all" && !lets(i);
    if (i !== selected && (aside || (letter === "N" && x - free < SPACE_PX))) drawTick(pen, x, ink);
    else drawMark(pen, x, letter, ink, { hollow: quality[i] !== "good", reviewed: review.isReviewed(i) });
    if (!aside) free = x;
  }
}

function drawTick(pen, x, ink) {
  pen.fillStyle = ink.soft;
  pen.fillRect(x - 0.5, LANE_PX - 6, 1, 6);
}

function drawMark(pen, x, letter, ink, { hollow, reviewed }) {
  pen.save();
  pen.translate(x - MARK_PX / 2, LANE_PX - MARK_PX - 2);
  pen.scale(MARK_PX / 16, MARK_PX / 16);
  pen.fillStyle = pen.strokeStyle = ink[letter];
  pen.lineWidth = 2;
  if (hollow) pen.stroke(classPath(letter));
  else pen.fill(classPath(letter));
  pen.restore();
  pen.font = "700 13px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.fillStyle = ink[letter];
  pen.fillText(reviewed ? `${letter}✓` : letter, x, LANE_PX - MARK_PX - 6);
}

function drawSelected(pen, { height }, x, ink) {
  pen.save();
  pen.globalAlpha = 0.16;
  pen.fillStyle = ink.focus;
  pen.fillRect(x - 11, 0, 22, height);
  pen.restore();
  pen.fillStyle = ink.focus;
  pen.fillRect(x - 11, 0, 22, 3);
  pen.fillRect(x - 0.5, LANE_PX, 1, height - LANE_PX);
}

/** Hatches the stretches of noisy or unusable signal; goes under the trace. */
export function drawQuality(pen, strip, ink, quality) {
  for (const { x0, x1, level } of onStrip(strip, quality)) hatch(pen, [x0, strip.top, x1 - x0, strip.height - strip.top], level, ink);
}

/** Writes at the start of each such stretch what is wrong with it; goes over the trace. */
export function drawReasons(pen, strip, ink, quality) {
  for (const { x0, level, reason } of onStrip(strip, quality)) write(pen, reason ? `${level}: ${reason}` : level, x0 + 6, strip.top + 16, ink.text, ink.paper);
}

function onStrip(strip, quality) {
  if (!quality) return [];
  const end = Math.min(strip.duration, strip.start + (strip.width - strip.pulseWidth) / strip.pxPerS);
  return stretches(quality, strip.start, end).map((found) => {
    return { ...found, x0: Math.max(strip.pulseWidth, xOf(strip, found.from)), x1: Math.min(strip.width, xOf(strip, Math.min(found.to, strip.duration))) };
  });
}

/** Joins neighbouring windows of one level and reason between two moments. */
export function stretches({ window_s: seconds, level, reason }, start = 0, end = Infinity) {
  const found = [];
  const last = Math.min(level.length, Math.ceil(end / seconds));
  for (let i = Math.max(0, Math.floor(start / seconds)); i < last; i += 1) {
    if (level[i] === "good") continue;
    const before = found.at(-1);
    if (before && before.to === i * seconds && before.level === level[i] && before.reason === reason[i]) before.to = (i + 1) * seconds;
    else found.push({ from: i * seconds, to: (i + 1) * seconds, level: level[i], reason: reason[i] });
  }
  return found;
}

/** Fills a box with slanting lines: one way where the signal is noisy, both ways where it is unusable. */
export function hatch(pen, [x, y, width, height], level, ink, gap = level === "unusable" ? 9 : 14) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.fillStyle = ink.shade;
  pen.fillRect(x, y, width, height);
  pen.strokeStyle = ink.hatch;
  pen.lineWidth = 1;
  pen.beginPath();
  // Counted from zero, so that the lines do not crawl while the edge of the box moves.
  for (let at = Math.floor((x - height) / gap) * gap; at < x + width + height; at += gap) {
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
    if (level === "unusable") {
      pen.moveTo(at, y);
      pen.lineTo(at + height, y + height);
    }
  }
  pen.stroke();
  pen.restore();
}

/** Counts by letter in words, for those who do not see a drawing: "12 N, 3 V". */
export function inWords(counts) {
  return CLASSES.filter((c) => counts[c] > 0).map((c) => `${counts[c].toLocaleString("en-GB")} ${c}`).join(", ");
}
