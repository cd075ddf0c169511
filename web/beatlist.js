/** The table of a recording's beats, in step with the paper. */

import { classMark } from "./classes.js";
import { el, grouped, percent } from "./dom.js";
import { clock, firstFrom } from "./recording.js";
import { selectBeat } from "./stepping.js";
import { createTable } from "./table.js";

/** Sets up the table; a row is the index of a beat. */
export function createBeatList(desk) {
  const table = createTable((index) => selectBeat(desk, index));
  let filled = null;
  desk.on(["recording", "listed", "labels", "selected"], (changed) => {
    if (!desk.recording) return;
    const at = placeOf(desk);
    if (desk.listed !== filled) {
      filled = desk.listed;
      table.fill(desk.listed, columnsOf(desk), at);
    } else if (changed.has("labels")) table.redraw();
    table.select(at);
  });
}

/** Where the selected beat stands in the list; -1 when the filter leaves it out. */
function placeOf({ listed, selected }) {
  const at = firstFrom(listed, selected);
  return selected >= 0 && listed[at] === selected ? at : -1;
}

function columnsOf({ recording, review }) {
  const { timeS, confidence, rr, quality } = recording.beats;
  const always = [
    { name: "Beat", class: "num", cell: (i) => grouped(i + 1) },
    { name: "Class", cell: (i) => classCell(review, i) },
    { name: "Confidence", class: "num", cell: (i) => (confidence[i] === null ? "none" : percent(confidence[i])) },
  ];
  if (!recording.duration) return always;
  const time = { name: "Time", class: "num", cell: (i) => clock(timeS[i]) };
  const interval = { name: "RR, s", class: "num extra", cell: (i) => (rr[i] === null ? "none" : rr[i].toFixed(3)) };
  return [always[0], time, ...always.slice(1), interval, { name: "Signal", class: "extra", cell: (i) => quality[i] }];
}

function classCell(review, i) {
  const note = review.isReviewed(i) ? [el("span", { class: "differs" }, review.isChanged(i) ? ` was ${review.model(i)}` : " confirmed")] : [];
  return [classMark(review.letter(i)), " ", el("b", {}, review.letter(i)), ...note];
}
