/** The five AAMI classes: each has a letter, words, a shape and (in style.css) a colour. And the rhythms. */

const SVG = "http://www.w3.org/2000/svg";

export const CLASSES = ["N", "S", "V", "F", "Q"];

export const CLASS_WORDS = {
  N: "normal",
  S: "supraventricular ectopic",
  V: "ventricular ectopic",
  F: "fusion",
  Q: "paced or unclassifiable",
};

export const RHYTHM_WORDS = { N: "normal", A: "atrial fibrillation", O: "another rhythm", "~": "too noisy to say" };
export const RHYTHMS = Object.keys(RHYTHM_WORDS);

/** Of a model's card: whether it tells beats, or rhythms. Only a model of beats can be asked for. */
export const tellsBeats = ({ classes }) => CLASSES.every((letter) => classes?.includes(letter));
export const tellsRhythms = ({ classes }) => RHYTHMS.every((letter) => classes?.includes(letter));

const OUTLINES = {
  N: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z",
  S: "M8 1.2 15 14H1z",
  V: "M2 2h12v12H2z",
  F: "M8 .6 15.4 8 8 15.4.6 8z",
  Q: "M4.2 1.4 8 5.2l3.8-3.8 2.8 2.8L10.8 8l3.8 3.8-2.8 2.8L8 10.8l-3.8 3.8-2.8-2.8L5.2 8 1.4 4.2z",
};

const paths = new Map();

/** The shape of a class for a canvas, in a box of 16 by 16. */
export function classPath(letter) {
  if (!paths.has(letter)) paths.set(letter, new Path2D(OUTLINES[letter] ?? OUTLINES.Q));
  return paths.get(letter);
}

/** The shape of a class; decoration only, since its letter always stands beside it. */
export function classMark(letter) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `mark mark-${CLASSES.includes(letter) ? letter : "Q"}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", OUTLINES[letter] ?? OUTLINES.Q);
  svg.append(path);
  return svg;
}
