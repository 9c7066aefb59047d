// What all parts share: the data, elements made of plain text, numbers for people, colours.
const data = JSON.parse(document.getElementById("data").textContent);

const ARRAYS = { f4: Float32Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array };

function unpack(item) {
  const bytes = Uint8Array.from(atob(item.data), (char) => char.charCodeAt(0));
  return new ARRAYS[item.type](bytes.buffer);
}

// An element; texts among the children become text nodes, so nothing of the data is ever read as HTML.
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function drawing(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A few digits, without trailing zeros; powers of ten where the number is very small or large.
function figures(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "not defined";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

function withUnit(value, quantity) {
  return figures(value) + (quantity.unit && Number.isFinite(value) ? " " + quantity.unit : "");
}

function option(value, text, chosen) {
  const made = element("option", { value }, text);
  made.selected = chosen;
  return made;
}

function choice(label, options, value, onchange) {
  const select = element("select", {}, ...options.map(([key, text]) => option(key, text, String(key) === String(value))));
  select.addEventListener("change", () => onchange(select.value));
  return element("label", {}, label, select);
}

// A choice of metrics, grouped by the exposure that they concern.
function metricChoice(label, value, onchange) {
  const select = element("select", {});
  const groups = new Map();
  data.metrics.forEach((metric, index) => {
    if (!groups.has(metric.exposure)) groups.set(metric.exposure, []);
    groups.get(metric.exposure).push(option(index, metric.label, index === value));
  });
  for (const [exposure, options] of groups) {
    if (groups.size === 1) select.append(...options);
    else select.append(element("optgroup", { label: exposure || "whole network" }, ...options));
  }
  select.addEventListener("change", () => onchange(Number(select.value)));
  return element("label", {}, label, select);
}

const MAPS = Object.fromEntries(Object.entries(data.colours).map(([name, stops]) => [
  name, stops.map((stop) => [0, 2, 4].map((place) => parseInt(stop.slice(place, place + 2), 16))),
]));

// The colour at a place between 0 and 1 of a map, linear between its stops.
function colourAt(stops, place) {
  const position = Math.min(1, Math.max(0, place)) * (stops.length - 1);
  const first = Math.min(stops.length - 2, Math.floor(position));
  const part = position - first;
  return stops[first].map((low, channel) => Math.round(low + part * (stops[first + 1][channel] - low)));
}

// A canvas of one pixel per cell, which the style sheet enlarges without smoothing.
function paintCells(canvas, columns, rows, colourOf) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const colour = colourOf(column, row);
      if (colour) image.data.set([...colour, 255], 4 * (row * columns + column));
    }
  }
  context.putImageData(image, 0, 0);
}

// The lesser side of zero has its own colours only if it reaches this far, as a share of the greater side.
const BOTH_SIDES = 0.25;

// Values as colours between two bounds: sequential, or diverging about zero where values on both sides of it matter.
class Colours {
  constructor(low, high, logarithmic = false, diverging = low < 0 && high > 0 && Math.min(-low, high) > BOTH_SIDES * Math.max(-low, high)) {
    const signed = diverging && high > low;
    const reach = Math.max(Math.abs(low), Math.abs(high));
    [this.low, this.high] = signed ? [-reach, reach] : [low, high];
    this.stops = signed ? MAPS.coolwarm : MAPS.viridis;
    this.logarithmic = logarithmic && low > 0;
  }

  // Where a value stands between the bounds, as a number from 0 to 1.
  place(value) {
    if (!(this.high > this.low)) return 0.5;
    const share = this.logarithmic ? Math.log(value / this.low) / Math.log(this.high / this.low) : (value - this.low) / (this.high - this.low);
    return Math.min(1, Math.max(0, share));
  }

  get middle() {
    return this.logarithmic ? Math.sqrt(this.low * this.high) : (this.low + this.high) / 2;
  }

  at(value) {
    return Number.isFinite(value) ? colourAt(this.stops, this.place(value)) : null;
  }
}

// A colour bar with its ends in numbers, and `point`, which marks a value on it.
function colourBar(colours, name) {
  const { low, high } = colours;
  const canvas = element("canvas", { "aria-hidden": "true" });
  paintCells(canvas, 128, 1, (column) => colourAt(colours.stops, column / 127));
  const mark = element("i", { hidden: true });
  const ends = element("p", { class: "ends" }, element("span", {}, figures(low)), element("span", {}, figures(colours.middle)), element("span", {}, figures(high)));
  const bar = element("div", { class: "colours", role: "img", "aria-label": `Colours from ${figures(low)} to ${figures(high)}: ${name}` },
    element("p", { class: "name" }, name), element("div", { class: "strip" }, canvas, mark), ends);
  const point = (value) => {
    mark.hidden = !Number.isFinite(value) || high === low;
    if (!mark.hidden) mark.style.left = `${100 * colours.place(value)}%`;
  };
  return { bar, point };
}

// A field of cells that a pointer, a finger or the arrow keys walk through; calls `at(column, row)` and `pick`.
function walk(field, columns, rows, at, pick) {
  const mark = element("div", { class: "here", hidden: true });
  field.append(mark);
  let column = 0, row = rows - 1;
  const show = () => {
    mark.hidden = false;
    mark.style.left = `${100 * column / columns}%`;
    mark.style.top = `${100 * row / rows}%`;
    mark.style.width = `${100 / columns}%`;
    mark.style.height = `${100 / rows}%`;
    at(column, row);
  };
  const locate = (event) => {
    const box = field.getBoundingClientRect();
    column = Math.min(columns - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * columns)));
    row = Math.min(rows - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * rows)));
    show();
  };
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  field.addEventListener("pointermove", locate);
  field.addEventListener("pointerleave", () => { mark.hidden = true; });
  field.addEventListener("click", (event) => { locate(event); pick(column, row); });
  field.addEventListener("focus", show);
  field.addEventListener("blur", () => { mark.hidden = true; });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { pick(column, row); return; }
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    column = Math.min(columns - 1, Math.max(0, column + STEPS[event.key][0]));
    row = Math.min(rows - 1, Math.max(0, row + STEPS[event.key][1]));
    show();
  });
}
