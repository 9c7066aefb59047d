// A metric over two parameters as heat maps, over one as a line; a panel for each value of a third.
function maps() {
  const view = document.getElementById("maps-view");
  if (!view) return;
  const box = document.getElementById("maps-controls");
  const table = document.getElementById("maps-table");
  const detail = document.getElementById("maps-cell");
  const levels = unpack(data.cells.levels), first = unpack(data.cells.first), count = unpack(data.cells.count);
  const diverged = unpack(data.cells.diverged), means = unpack(data.cells.means);
  const cells = first.length;
  const SCALES = [["range", "whole sweep"], ["inner", "2 to 98 % of the sweep"], ["view", "what is shown"]];
  // Cells of a single map are no larger than this (px), so that a few do not fill the screen; a line keeps off the edges (%).
  const WIDEST_CELL = 130, HIGHEST_CELL = 62, LINE_HEAD = 8, LINE_FOOT = 92;
  let metric = data.firstMetric, scale = "range", logarithmic = false;

  const axesBox = element("div", { class: "controls", id: "maps-axes" });
  const metricBox = element("div", { class: "controls", id: "maps-metric" },
    metricChoice("Metric", metric, (value) => { metric = value; draw(); }),
    choice("Scale over", SCALES, scale, (value) => { scale = value; draw(); }));
  const log = element("input", { type: "checkbox", id: "maps-log" });
  log.addEventListener("change", () => { logarithmic = log.checked; draw(); });
  metricBox.append(element("label", { class: "inline" }, log, "logarithmic colours"));
  box.classList.remove("controls");
  box.append(metricBox, axesBox);
  metricBox.querySelector("select").id = "maps-metric-choice";
  const chooser = new Chooser(axesBox, [["x", "Across"], ["y", "Up", true], ["facet", "Panels by", true]], {
    levels: (axis) => data.axes[axis].texts.map((_, level) => level), withMean: true, onchange: () => draw(),
  });

  // Sums over the cells that fall on each place of each panel.
  function collect() {
    const { x, y, facet } = chooser.axis;
    const columns = data.axes[x].texts.length, rows = y < 0 ? 1 : data.axes[y].texts.length;
    const panels = facet < 0 ? 1 : data.axes[facet].texts.length;
    const size = panels * rows * columns;
    const found = { columns, rows, panels, value: new Float64Array(size).fill(NaN), n: new Int32Array(size), lost: new Int32Array(size), first: new Int32Array(size).fill(-1), cell: new Int32Array(size).fill(-1) };
    const sum = new Float64Array(size), weight = new Float64Array(size);
    for (let cell = 0; cell < cells; cell++) {
      if (!chooser.fits(levels, cell, cells)) continue;
      const level = (axis) => axis < 0 ? 0 : levels[axis * cells + cell];
      const place = (level(facet) * rows + level(y)) * columns + level(x);
      found.cell[place] = found.n[place] ? -1 : cell;
      if (!found.n[place]) found.first[place] = first[cell];
      found.n[place] += count[cell];
      found.lost[place] += diverged[cell];
      const mean = means[metric * cells + cell], alive = count[cell] - diverged[cell];
      if (Number.isFinite(mean)) { sum[place] += mean * alive; weight[place] += alive; }
    }
    for (let place = 0; place < size; place++) if (weight[place]) found.value[place] = sum[place] / weight[place];
    return found;
  }

  function bounds(found) {
    const known = scale === "view" ? found.value.filter(Number.isFinite) : data.metrics[metric][scale];
    let low = scale === "view" ? known.reduce((a, b) => Math.min(a, b), Infinity) : known[0];
    let high = scale === "view" ? known.reduce((a, b) => Math.max(a, b), -Infinity) : known[1];
    if (!Number.isFinite(low) || low === null) [low, high] = [0, 1];
    return [low, high];
  }

  function draw() {
    const found = collect();
    const [low, high] = bounds(found);
    const { x, y, facet } = chooser.axis;
    const quantity = data.metrics[metric];
    log.disabled = !(low > 0) || y < 0;
    const colours = new Colours(low, high, logarithmic);
    const readout = element("p", { class: "readout", "aria-live": "polite", id: "maps-readout" }, quantity.description);
    const { bar, point } = colourBar(colours, quantity.label);
    const gone = [0, 1, 2].map((channel) => parseInt(getComputedStyle(document.documentElement).getPropertyValue("--diverged").trim().slice(1 + 2 * channel, 3 + 2 * channel), 16));
    const panels = element("div", { class: "panels" });
    const across = Math.min(found.panels, view.clientWidth < 600 ? 2 : found.panels % 4 && found.panels % 3 === 0 ? 3 : 4);
    panels.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
    for (let panel = 0; panel < found.panels; panel++) {
      const title = facet < 0 ? "" : levelText(facet, panel);
      panels.append(drawPanel(found, panel, title, { colours, gone, readout, point, quantity, across }));
    }
    const legend = element("p", { class: "legend" });
    if (found.lost.some((lost, place) => lost && lost === found.n[place])) legend.append(element("span", { class: "gone" }, "all diverged"));
    if (found.value.some((value, place) => Number.isNaN(value) && !(found.lost[place] && found.lost[place] === found.n[place]))) legend.append(element("span", { class: "empty" }, "no instance, or not defined"));
    const plot = element("div", { class: "plot" }, element("div", { class: "y" }, y < 0 ? quantity.label : data.axes[y].label), panels, element("div", { class: "x" }, data.axes[x].label));
    if (across === 1) plot.style.maxWidth = `${Math.max(y < 0 ? 560 : 420, WIDEST_CELL * found.columns)}px`;
    else if (across === 2) plot.style.maxWidth = "960px";
    view.replaceChildren(element("div", { class: "head" }, readout, y < 0 ? "" : bar), plot, legend);
    panels.querySelectorAll(".frame").forEach((frame) => ticks(frame, x, y, colours));
    plot.querySelector(".x").style.paddingLeft = `${panels.querySelector(".ticks.left").offsetWidth}px`;
    if (table.open) list(found);
  }

  function drawPanel(found, panel, title, { colours, gone, readout, point, quantity, across }) {
    const { columns, rows } = found;
    const isLine = chooser.axis.y < 0;
    const placeOf = (column, row) => (panel * rows + rows - 1 - row) * columns + column;
    const canvas = isLine ? line(found, panel, colours) : element("canvas", { "aria-hidden": "true" });
    if (!isLine) paintCells(canvas, columns, rows, (column, row) => {
      const place = placeOf(column, row);
      if (found.n[place] && found.lost[place] === found.n[place]) return gone;
      return colours.at(found.value[place]);
    });
    const label = `${isLine ? "Plot" : "Heat map"} of ${quantity.label}${title ? " at " + title : ""}; arrow keys move, Enter shows the cell`;
    const field = element("div", { class: "field", tabindex: "0", role: "application", "aria-roledescription": isLine ? "plot" : "heat map", "aria-label": label }, canvas);
    if (isLine) field.classList.add("line");
    if (across === 1) field.style.height = isLine ? "240px" : `${Math.min(560, Math.max(150, HIGHEST_CELL * rows))}px`;
    else field.style.aspectRatio = String(isLine ? 1.4 : Math.max(1.05, columns / rows));
    walk(field, columns, rows, (column, row) => {
      const place = placeOf(column, row);
      const strong = element("strong", {}, found.n[place] && found.lost[place] === found.n[place] ? "diverged" : withUnit(found.value[place], quantity));
      readout.replaceChildren(strong, " at ", where(panel, column, rows - 1 - row), tell(found, place));
      point(found.value[place]);
    }, (column, row) => showCell(found, placeOf(column, row), where(panel, column, rows - 1 - row)));
    const frame = element("div", { class: "frame" }, element("div", { class: "ticks left" }), field, element("div", { class: "ticks bottom" }));
    if (title) frame.prepend(element("span", {}), element("figcaption", {}, title));
    return element("figure", {}, frame);
  }

  // Dots joined by a line, at equal steps as cells of a map are; levels without a value interrupt it.
  function line(found, panel, colours) {
    const made = drawing("svg", { "aria-hidden": "true" });
    const across = (column) => 100 * (column + 0.5) / found.columns;
    const height = (value) => colours.high > colours.low ? LINE_FOOT - (LINE_FOOT - LINE_HEAD) * (value - colours.low) / (colours.high - colours.low) : 50;
    const values = [...found.value.subarray(panel * found.columns, (panel + 1) * found.columns)];
    values.forEach((value, column) => {
      if (!Number.isFinite(value)) {
        const place = panel * found.columns + column;
        const lost = found.n[place] && found.lost[place] === found.n[place];
        if (lost) made.append(drawing("rect", { class: "gone", x: `${100 * column / found.columns}%`, y: "0", width: `${100 / found.columns}%`, height: "100%" }));
        return;
      }
      const next = values[column + 1];
      if (Number.isFinite(next)) made.append(drawing("line", { x1: `${across(column)}%`, y1: `${height(value)}%`, x2: `${across(column + 1)}%`, y2: `${height(next)}%` }));
      made.append(drawing("circle", { cx: `${across(column)}%`, cy: `${height(value)}%`, r: found.columns > 40 ? 2 : 4 }));
    });
    return made;
  }

  function where(panel, column, row) {
    const { x, y, facet } = chooser.axis;
    const texts = [levelText(x, column)];
    if (y >= 0) texts.push(levelText(y, row));
    if (facet >= 0) texts.push(levelText(facet, panel));
    chooser.free().forEach((axis) => { if (chooser.level[axis] >= 0) texts.push(levelText(axis, chooser.level[axis])); });
    return texts.join(", ");
  }

  function tell(found, place) {
    if (!found.n[place]) return "; no instance";
    if (found.n[place] === 1) return `; instance ${found.first[place]}`;
    const lost = found.lost[place] ? `, ${found.lost[place]} diverged` : "";
    return `; mean of ${found.n[place].toLocaleString("en")} instances${lost}`;
  }

  // All metrics of one cell; of places where several cells meet only what they share is told.
  function showCell(found, place, text) {
    const cell = found.cell[place];
    const rows = cell < 0 ? [[data.metrics[metric].name, withUnit(found.value[place], data.metrics[metric])]]
      : data.metrics.map((quantity, index) => [quantity.name, withUnit(means[index * cells + cell], quantity)]);
    detail.hidden = false;
    detail.replaceChildren(element("h3", {}, text + tell(found, place)),
      element("dl", {}, ...rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))));
  }

  function list(found) {
    const { x, y } = chooser.axis;
    const head = element("tr", {}, element("th", { scope: "col" }, y < 0 ? "" : data.axes[y].label), ...data.axes[x].texts.map((text) => element("th", { scope: "col" }, text)));
    const blocks = [];
    for (let panel = 0; panel < found.panels; panel++) {
      const rows = [];
      for (let row = 0; row < found.rows; row++) {
        const values = data.axes[x].texts.map((_, column) => element("td", {}, figures(found.value[(panel * found.rows + row) * found.columns + column])));
        rows.push(element("tr", {}, element("th", { scope: "row" }, y < 0 ? data.metrics[metric].name : data.axes[y].texts[row]), ...values));
      }
      const caption = `${data.metrics[metric].label} over ${data.axes[x].label}${chooser.axis.facet < 0 ? "" : ", " + levelText(chooser.axis.facet, panel)}`;
      const made = element("table", {}, element("caption", {}, caption), element("thead", {}, head.cloneNode(true)), element("tbody", {}, ...rows));
      blocks.push(element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, made));
    }
    table.replaceChildren(table.querySelector("summary"), ...blocks);
  }

  // As many labels as fit without touching each other.
  function ticks(frame, x, y, colours) {
    const [left, field, bottom] = [".left", ".field", ".bottom"].map((name) => frame.querySelector(name));
    const spread = (texts, most) => {
      const step = Math.max(1, Math.ceil(texts.length / Math.max(1, most)));
      return texts.map((text, place) => [text, place]).filter(([, place]) => place % step === 0);
    };
    if (y >= 0) {
      const texts = data.axes[y].texts;
      const widest = Math.max(...texts.map((text) => text.length));
      left.style.width = `${widest * 0.52 + 0.5}em`;
      for (const [text, place] of spread(texts, field.clientHeight / 16)) {
        const made = element("span", {}, text);
        made.style.top = `${100 * (texts.length - place - 0.5) / texts.length}%`;
        left.append(made);
      }
    }
    if (y < 0) {
      const ends = colours.high > colours.low ? [[LINE_HEAD, colours.high], [(LINE_HEAD + LINE_FOOT) / 2, colours.middle], [LINE_FOOT, colours.low]] : [[50, colours.low]];
      left.style.width = `${Math.max(...ends.map(([, value]) => figures(value).length)) * 0.52 + 0.9}em`;
      for (const [top, value] of ends) {
        const made = element("span", {}, figures(value));
        made.style.top = `${top}%`;
        left.append(made);
      }
    }
    const texts = data.axes[x].texts;
    const widest = Math.max(...texts.map((text) => text.length));
    for (const [text, place] of spread(texts, field.clientWidth / (widest * 6.4 + 12))) {
      const made = element("span", {}, text);
      made.style.left = `${100 * (place + 0.5) / texts.length}%`;
      bottom.append(made);
    }
  }

  table.addEventListener("toggle", () => { if (table.open) list(collect()); });
  onLayout(view, draw);
}

// Draws now, when the width changes, and when light and dark change places.
function onLayout(view, draw) {
  let width = view.clientWidth;
  draw();
  new ResizeObserver(() => {
    if (view.clientWidth !== width) { width = view.clientWidth; requestAnimationFrame(draw); }
  }).observe(view);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
