/** The caliper: two corners on the paper, and the seconds, beats per minute and millivolts between them. */

import { byId, show } from "./dom.js";
import { write } from "./pen.js";
import { goTo, windowOf } from "./desk.js";
import { xOf, yOf } from "./strip.js";

const STEP_S = 0.02;
const STEP_MM = 0.5;

/** Draws the caliper's box, its two edges, and what it measures. */
export function drawCaliper(pen, strip, ink, caliper) {
  const [x0, x1] = [xOf(strip, caliper.t0), xOf(strip, caliper.t1)];
  const [y0, y1] = [yOf(strip, caliper.v0), yOf(strip, caliper.v1)];
  pen.save();
  pen.strokeStyle = pen.fillStyle = ink.focus;
  pen.globalAlpha = 0.12;
  pen.fillRect(x0, y0, x1 - x0, y1 - y0);
  pen.globalAlpha = 1;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const x of [x0, x1]) line(pen, [x, strip.top, x, strip.height]);
  for (const y of [y0, y1]) line(pen, [Math.min(x0, x1), y, Math.max(x0, x1), y]);
  pen.stroke();
  pen.restore();
  const middle = Math.min(strip.width - 110, Math.max(strip.pulseWidth + 110, (x0 + x1) / 2));
  write(pen, measured(caliper, strip.toScale), middle, Math.max(strip.top + 34, Math.min(y0, y1) - 8), ink.focus, ink.paper, "center");
}

function line(pen, [x0, y0, x1, y1]) {
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
}

/** "0.84 s, 71 bpm, 1.35 mV"; no millivolts where the unit is unknown. */
function measured({ t0, t1, v0, v1 }, toScale) {
  const seconds = Math.abs(t1 - t0);
  const rate = seconds > 0.005 ? `${Math.round(60 / seconds)} bpm` : "no rate";
  const height = toScale ? `${Math.abs(v1 - v0).toFixed(2)} mV` : "unit unknown";
  return `${seconds.toFixed(3)} s · ${rate} · ${height}`;
}

/** Sets up the button and the words beside it; returns {toggle, move(event)} for the keyboard. */
export function createCaliper(desk) {
  const toggle = () => {
    const measuring = !desk.measuring;
    desk.set({ measuring, caliper: measuring ? firstCaliper(desk) : null });
    byId("paper").focus({ preventScroll: true });
  };
  byId("measure").addEventListener("click", toggle);
  desk.on(["measuring", "caliper", "recording"], () => {
    byId("measure").setAttribute("aria-pressed", String(desk.measuring));
    byId("paper").classList.toggle("measuring", desk.measuring);
    show(byId("measured"), desk.measuring);
    if (desk.caliper) byId("measured").textContent = `Caliper: ${measured(desk.caliper, desk.recording.record.unit !== null)}`;
  });
  return { toggle, move: (event) => move(desk, event) };
}

/** From the selected beat to the next; without one, a second in the middle of the paper. */
function firstCaliper(desk) {
  const { timeS, count } = desk.recording.beats;
  const { selected } = desk;
  const { start, span } = windowOf(desk);
  const height = { v0: 0, v1: 1 };
  const inView = selected >= 0 && selected + 1 < count && timeS[selected] >= start && timeS[selected + 1] <= start + span;
  if (inView) return { t0: timeS[selected], t1: timeS[selected + 1], ...height };
  const middle = start + span / 2;
  return { t0: middle - 0.5, t1: middle + 0.5, ...height };
}

/** Arrow keys move the second corner, with Shift the first; true when the key was one of them. */
function move(desk, { key, shiftKey }) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  if (!way) return false;
  const [t, v] = shiftKey ? ["t0", "v0"] : ["t1", "v1"];
  const moment = desk.caliper[t] + way[0] * STEP_S;
  const at = Math.min(desk.recording.duration, Math.max(0, moment));
  desk.set({ caliper: { ...desk.caliper, [t]: at, [v]: desk.caliper[v] + (way[1] * STEP_MM) / desk.gain } });
  const { start, end } = windowOf(desk);
  if (at < start || at > end) goTo(desk, at);
  return true;
}
