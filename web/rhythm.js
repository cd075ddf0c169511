/** The rhythm of a recording: its figures, its words for a stretch, and its lane in the band. */

import { RHYTHMS, RHYTHM_WORDS } from "./classes.js";
import { percent } from "./dom.js";
import { hatch } from "./marks.js";
import { clock } from "./recording.js";

const SHORT = { A: "AF", O: "other" };
const NONE = "none";

/** The group of figures: one rhythm of a short recording, shares and episodes of a long one. */
export function rhythmGroup(found) {
  const { parts, confidence, model } = found;
  const by = `Model ${model.name} ${model.version}, SHA\u2011256 ${model.sha256.slice(0, 8)}.`;
  if (parts.class.length > 1) return { title: "Rhythm", ...partsOf(found), note: `AF burden and other rhythm are of the time that is not too noisy, episodes 30 s or longer. ${by}` };
  const sure = confidence === null ? NONE : percent(confidence);
  return { title: "Rhythm", facts: [["Answer", RHYTHM_WORDS[found.class]], ["Confidence", sure]], note: by };
}

function partsOf({ parts, af_burden_percent: burden, af_episodes: episodes }) {
  const seconds = Object.fromEntries(RHYTHMS.map((letter) => [letter, 0]));
  parts.class.forEach((letter, i) => (seconds[letter] += parts.end_s[i] - parts.begin_s[i]));
  const known = seconds.N + seconds.A + seconds.O;
  const share = (letter, of) => (of > 0 ? `${((100 * seconds[letter]) / of).toFixed(1)} %` : NONE);
  const longest = episodes.begin_s.reduce((most, from, i) => Math.max(most, episodes.end_s[i] - from), 0);
  const facts = [
    ["AF burden", burden === null ? NONE : `${burden.toFixed(1)} %`],
    ["AF episodes", String(episodes.begin_s.length)],
    ["Longest", longest > 0 ? clock(longest, 0) : NONE],
    ["Other rhythm", share("O", known)],
    ["Too noisy", share("~", known + seconds["~"])],
  ];
  return { facts, moments: episodes.begin_s, ends: episodes.end_s };
}

/** Whether any part of a recording was called atrial fibrillation. */
export const fibrillates = (found) => Boolean(found?.parts.class.includes("A"));

/** "Rhythm: normal, atrial fibrillation": what is told between two moments, or nothing. */
export function rhythmBetween(found, start, end) {
  if (!found) return "";
  const { begin_s: begin, end_s: until, class: classes } = found.parts;
  const there = classes.filter((_, i) => begin[i] < end && until[i] > start);
  return there.length > 0 ? `Rhythm: ${[...new Set(there)].map((letter) => RHYTHM_WORDS[letter]).join(", ")}` : "";
}

/** Neighbouring parts of one rhythm joined. */
function joined({ begin_s: begin, end_s: end, class: classes }) {
  const found = [];
  classes.forEach((letter, i) => {
    const before = found.at(-1);
    if (before?.letter === letter) before.to = end[i];
    else found.push({ from: begin[i], to: end[i], letter });
  });
  return found;
}

/**
 * Fills a lane [left, top, width, height]: fibrillation solid, another rhythm half high, a normal one
 * a line, noise hatched. Colours are those of no class: beats in fibrillation are not ventricular.
 */
export function drawRhythm(pen, [left, top, width, height], ink, { rhythm, duration }) {
  for (const { from, to, letter } of joined(rhythm.parts)) {
    const x = left + (from / duration) * width;
    const wide = Math.max(1, ((to - from) / duration) * width);
    if (letter === "~") hatch(pen, [x, top, wide, height], "unusable", ink, 4);
    pen.fillStyle = letter === "A" ? ink.trace : ink.soft;
    const high = { A: height, O: height / 2, N: 1 }[letter] ?? 0;
    pen.fillRect(x, top + height - high, wide, high);
    if (letter in SHORT) nameIt(pen, [x, top, wide, height], ink, letter);
  }
}

/** Writes the short word into a box where it fits; beside a half-high bar it stands on the card. */
function nameIt(pen, [x, top, wide, height], ink, letter) {
  const long = pen.measureText(SHORT[letter]).width;
  if (long + 12 > wide) return;
  if (letter === "O") pen.clearRect(x + 1, top, long + 6, height);
  pen.fillStyle = letter === "A" ? ink.card : ink.soft;
  pen.fillText(SHORT[letter], x + 4, top + height - 1.5);
}
