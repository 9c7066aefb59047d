// Grids of time traces: rows and columns are parameters, or a list where the sweep is no grid.
function traces() {
  const view = document.getElementById("traces-view");
  if (!view || !data.traces) return;
  const box = document.getElementById("traces-controls");
  const drawn = data.traces;
  const values = unpack(drawn.values), levels = unpack(drawn.levels);
  const total = drawn.instances.length;
  const [, exposures, lines, samples] = drawn.shape;
  const units = [...new Set(drawn.exposures.map((item) => item.unit))];
  let unit = units[0], faint = true, scale = drawn.divergedAt.some((step) => step >= 0) ? "panel" : "row";

  const known = data.axes.map((_, axis) => drawn.isGrid ? [...new Set(levels.subarray(axis * total, (axis + 1) * total))].sort((a, b) => a - b) : []);
  const axesBox = element("div", { class: "controls", id: "traces-axes" });
  const lookBox = element("div", { class: "controls", id: "traces-look" });
  box.classList.remove("controls");
  box.append(lookBox, axesBox);
  const names = (key) => drawn.exposures.filter((item) => item.unit === key).map((item) => item.name).join(", ") + (key ? ` (${key})` : "");
  if (units.length > 1) lookBox.append(choice("Exposures", units.map((key) => [key, names(key)]), unit, (value) => { unit = value; draw(); }));
  const scales = [["row", "each row"], ["all", "all panels"], ["panel", "each panel"]].filter(([key]) => drawn.isGrid || key !== "row");
  if (!drawn.isGrid && scale === "row") scale = "panel";
  lookBox.append(choice("Same scale for", scales, scale, (value) => { scale = value; draw(); }));
  const box2 = element("input", { type: "checkbox", checked: true, id: "traces-faint" });
  box2.addEventListener("change", () => { faint = box2.checked; draw(); });
  lookBox.append(element("label", { class: "inline" }, box2, "single regions, faint"));
  const chooser = drawn.isGrid ? new Chooser(axesBox, [["x", "Across"], ["y", "Down", true]], { levels: (axis) => known[axis], withMean: false, onchange: () => draw() }) : null;

  const at = (item, exposure, line, sample) => values[((item * exposures + exposure) * lines + line) * samples + sample];
  const shown = () => drawn.exposures.map((_, index) => index).filter((index) => drawn.exposures[index].unit === unit).slice(0, 4);

  // The least and the greatest drawn value of some instances; those that diverged count only if there are no others.
  function extent(items) {
    const calm = items.filter((item) => drawn.divergedAt[item] < 0);
    let low = Infinity, high = -Infinity;
    for (const item of calm.length ? calm : items) {
      for (const exposure of shown()) {
        for (let line = 0; line < (faint ? lines : 1); line++) {
          for (let sample = 0; sample < samples; sample++) {
            const value = at(item, exposure, line, sample);
            if (value < low) low = value;
            if (value > high) high = value;
          }
        }
      }
    }
    if (low > high) return [0, 1];
    if (low === high) return [low - 0.5, high + 0.5];
    return low >= 0 && low < 0.5 * high ? [0, high] : [low, high];
  }

  function pathOf(item, exposure, line, [low, high]) {
    let text = "", pen = "M";
    for (let sample = 0; sample < samples; sample++) {
      const value = at(item, exposure, line, sample);
      if (!Number.isFinite(value)) { pen = "M"; continue; }
      const y = Math.min(104, Math.max(-4, 96 - 92 * (value - low) / (high - low)));
      text += `${pen}${(100 * (sample + 0.5) / samples).toFixed(2)} ${y.toFixed(2)}`;
      pen = "L";
    }
    return text;
  }

  function describe(item) {
    const swept = data.ranks.parameters.map((quantity, index) => `${quantity.name} = ${withUnit(drawn.swept[index][item], quantity)}`);
    const end = drawn.divergedAt[item] < 0 ? "" : `, diverged at step ${drawn.divergedAt[item].toLocaleString("en")}`;
    return `instance ${drawn.instances[item]}${swept.length ? ": " + swept.join(", ") : ""}${end}`;
  }

  function panel(item, bounds, readout, withLimits) {
    const paths = [];
    for (const exposure of shown()) {
      for (let line = faint ? lines - 1 : 0; line >= 0; line--) {
        const path = drawing("path", { d: pathOf(item, exposure, line, bounds) });
        if (line) path.setAttribute("class", "faint");
        path.style.stroke = `var(--line-${exposure % 4})`;
        paths.push(path);
      }
    }
    const cursor = element("div", { class: "at", hidden: true });
    const made = element("div", { class: "trace", tabindex: "0", role: "application", "aria-roledescription": "time trace", "aria-label": `${names(unit)}, ${describe(item)}; arrow keys move in time` },
      drawing("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...paths), cursor);
    if (withLimits) made.append(element("span", { class: "limit" }, `${figures(bounds[0], 2)} to ${figures(bounds[1], 2)}`));
    if (drawn.divergedAt[item] >= 0) made.append(element("span", { class: "failed" }, "diverged"));
    let sample = 0;
    const tell = () => {
      cursor.hidden = false;
      cursor.style.left = `${100 * (sample + 0.5) / samples}%`;
      const time = drawn.start + (sample + 0.5) / samples * (drawn.stop - drawn.start);
      const parts = shown().map((exposure) => `${drawn.exposures[exposure].name} ${withUnit(at(item, exposure, 0, sample), drawn.exposures[exposure])}`);
      readout.replaceChildren(element("strong", {}, parts.join(", ")), ` at ${Math.round(time).toLocaleString("en")} ms, ${describe(item)}`);
    };
    made.addEventListener("pointermove", (event) => {
      const area = made.getBoundingClientRect();
      sample = Math.min(samples - 1, Math.max(0, Math.floor((event.clientX - area.left) / area.width * samples)));
      tell();
    });
    made.addEventListener("pointerleave", () => { cursor.hidden = true; });
    made.addEventListener("blur", () => { cursor.hidden = true; });
    made.addEventListener("focus", tell);
    made.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      sample = Math.min(samples - 1, Math.max(0, sample + step * (event.shiftKey ? 16 : 4)));
      tell();
    });
    return made;
  }

  function grid(readout) {
    const { x, y } = chooser.axis;
    const columns = known[x], rows = y < 0 ? [0] : known[y];
    const places = new Map();
    const items = [];
    for (let item = 0; item < total; item++) {
      if (!chooser.fits(levels, item, total)) continue;
      items.push(item);
      places.set(`${y < 0 ? 0 : levels[y * total + item]},${levels[x * total + item]}`, item);
    }
    const whole = scale === "all" ? extent(items) : null;
    const made = element("div", { class: "grid" });
    made.style.gridTemplateColumns = `auto repeat(${columns.length}, minmax(0, 1fr))`;
    made.append(element("span", {}), ...columns.map((level) => element("span", { class: "name" }, view.clientWidth < 120 * columns.length ? data.axes[x].texts[level] : levelText(x, level))));
    for (const row of rows) {
      const inRow = columns.map((level) => places.get(`${row},${level}`));
      const bounds = whole || extent(inRow.filter((item) => item !== undefined));
      const limits = scale === "panel" ? null : element("small", {}, element("span", {}, figures(bounds[1], 2)), element("span", {}, figures(bounds[0], 2)));
      made.append(element("div", { class: "row" }, element("b", {}, y < 0 ? "" : data.axes[y].texts[row]), limits));
      for (const item of inRow) made.append(item === undefined ? element("span", {}) : panel(item, scale === "panel" ? extent([item]) : bounds, readout, scale === "panel"));
    }
    made.append(element("span", {}), element("span", { class: "times" }, element("span", {}, drawn.start.toLocaleString("en")), element("span", {}, `${drawn.stop.toLocaleString("en")} ms`)));
    const frame = [made];
    if (y >= 0) frame.unshift(element("p", { class: "note" }, `Rows: ${data.axes[y].label}. Columns: ${data.axes[x].label}.`));
    return frame;
  }

  function list(readout) {
    const made = element("div", { class: "panels list" });
    made.style.gridTemplateColumns = "repeat(auto-fill, minmax(min(100%, 250px), 1fr))";
    const all = drawn.instances.map((_, item) => item);
    const whole = scale === "all" ? extent(all) : null;
    for (const item of all) {
      const bounds = whole || extent([item]);
      made.append(element("figure", {}, element("figcaption", {}, describe(item)), panel(item, bounds, readout, true),
        element("div", { class: "times" }, element("span", {}, drawn.start.toLocaleString("en")), element("span", {}, `${drawn.stop.toLocaleString("en")} ms`))));
    }
    return [made];
  }

  function draw() {
    const legend = element("p", { class: "legend" });
    for (const exposure of shown()) {
      const key = element("span", {}, drawn.exposures[exposure].label);
      key.style.setProperty("--key", `var(--line-${exposure % 4})`);
      legend.append(key);
    }
    const rest = drawn.leftOut > 0 ? `${total.toLocaleString("en")} instances, evenly spread, of ${(total + drawn.leftOut).toLocaleString("en")} that have traces. ` : "";
    const readout = element("p", { class: "readout", "aria-live": "polite", id: "traces-readout" }, `${rest}Faint: ${drawn.lines.slice(1).join(", ")}.`);
    view.replaceChildren(element("div", { class: "head" }, readout, legend), ...(chooser ? grid(readout) : list(readout)));
  }

  onLayout(view, draw);
}
