/** Drawing on a canvas: a pen at the screen's own resolution, the page's colours, rules and text. */

export const FINEST_PX = 3; // Below this, small boxes merge into a grey wash and are left out.

/** Sizes the canvas in CSS px at `ratio` device px each, and returns its context, scaled and empty. */
export function preparePen(canvas, width, height, ratio = window.devicePixelRatio || 1) {
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  const style = `${height}px`;
  // Setting a size, even the same one, allocates anew: while panning it stays.
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
  if (canvas.style.height !== style) canvas.style.height = style;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** The colours of the style sheet that stand at `node`, by name. */
export function inks(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const ink = { paper: read("paper"), small: read("paper-small"), large: read("paper-large"), trace: read("trace"), peak: read("peak"), text: read("paper-text") };
  for (const name of ["N", "S", "V", "F", "Q", "card", "line", "soft", "chosen", "focus", "hatch", "shade"]) ink[name] = read(name);
  return ink;
}

/** Draws straight lines [x0, y0, x1, y1] on whole device pixels, so that they stay crisp. */
export function rule(pen, lines, colour) {
  const ratio = pen.getTransform().a;
  const crisp = (v) => (Math.round(v * ratio) + 0.5) / ratio;
  pen.strokeStyle = colour;
  pen.lineWidth = 1 / ratio;
  pen.beginPath();
  for (const [x0, y0, x1, y1] of lines) {
    pen.moveTo(crisp(x0), crisp(y0));
    pen.lineTo(crisp(x1), crisp(y1));
  }
  pen.stroke();
}

/** Text with a halo of paper, so that grid lines do not run through it. */
export function write(pen, text, x, y, colour, halo, align = "start") {
  pen.font = "600 12px system-ui, sans-serif";
  pen.textAlign = align;
  pen.lineWidth = 4;
  pen.strokeStyle = halo;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}
