// The best instances by any metric, and the matrices of a chosen one beside those it is compared with.
function ranks() {
  const view = document.getElementById("best-view");
  if (!view) return;
  const table = data.ranks;
  const place = new Map(table.instances.map((instance, index) => [instance, index]));
  const matrices = data.matrices.map((item) => ({ ...item, values: unpack(item.values) }));
  const owners = new Set(matrices.map((item) => item.instance).filter((instance) => instance >= 0));
  const reason = data.matricesLeftOut ? "This page has no room for more matrices; ratemlx plot --kind fc --instance draws those that the run kept."
    : "The run kept no matrices of these; it keeps those of its best instances.";
  let metric = data.firstMetric, order = "highest", chosen = -1;

  document.getElementById("best-controls").append(
    metricChoice("Metric", metric, (value) => { metric = value; draw(); }),
    choice("Order", [["highest", "highest first"], ["lowest", "lowest first"]], order, (value) => { order = value; draw(); }));
  document.querySelector("#best-controls select").id = "best-metric-choice";

  // The chosen metric, then fitness values, then what a reader looks at next; six at most.
  function columns() {
    const fits = data.metrics.map((item, index) => index).filter((index) => data.metrics[index].name.startsWith("fitness"));
    const rest = data.metrics.map((_, index) => index);
    return [...new Set([metric, ...fits, ...rest])].slice(0, 6);
  }

  function draw() {
    const shown = columns();
    const named = table[order][metric] || [];
    const several = new Set(table.seeds).size > 1;
    const head = element("tr", {}, element("th", { scope: "col" }, "rank"), element("th", { scope: "col" }, "instance"),
      ...table.parameters.map((item) => element("th", { scope: "col" }, item.label)), several ? element("th", { scope: "col" }, "seed") : null,
      ...shown.map((index) => element("th", { scope: "col", title: data.metrics[index].description }, data.metrics[index].label)));
    const rows = named.map((instance, rank) => {
      const at = place.get(instance);
      const has = owners.has(instance);
      const name = has ? element("button", { type: "button", "aria-label": `Matrices of instance ${instance}` }, String(instance)) : element("span", { title: owners.size ? reason : null }, String(instance));
      const row = element("tr", { class: (has ? "pick" : "") + (instance === chosen ? " chosen" : "") }, element("th", { scope: "row" }, String(rank + 1)), element("td", {}, name),
        ...table.parameters.map((_, index) => element("td", {}, figures(table.swept[index][at]))), several ? element("td", {}, String(table.seeds[at])) : null,
        ...shown.map((index) => element("td", {}, figures(table.values[index][at]))));
      if (has) row.addEventListener("click", () => { chosen = instance; draw(); showMatrices(instance); });
      return row;
    });
    const body = rows.length ? rows : [element("tr", {}, element("td", { class: "text" }, "not defined for any instance"))];
    view.replaceChildren(element("table", { id: "best-table" }, element("thead", {}, head), element("tbody", {}, ...body)));
    const without = owners.size ? named.filter((instance) => !owners.has(instance)) : [];
    const note = element("p", { class: "note" }, `No link: ${without.join(", ")}. ${reason}`);
    document.getElementById("best-note").replaceChildren(...(without.length ? [note] : []));
  }

  // All matrices of an instance, then those of no instance with which they are compared; what is alike has one scale.
  function showMatrices(instance) {
    const own = matrices.filter((item) => item.instance === instance);
    const names = new Set(own.map((item) => item.name)), exposures = new Set(["", ...own.map((item) => item.exposure)]);
    const others = matrices.filter((item) => item.instance < 0 && item.size === own[0].size && exposures.has(item.exposure))
      .sort((one, other) => names.has(other.name) - names.has(one.name));
    const alike = [...own, ...others.filter((item) => names.has(item.name))];
    const reach = Math.max(...limits(alike).map(Math.abs));
    const colours = new Colours(-reach, reach, false, true);
    const intro = "Region by region, in the order of the connectome. Point at an entry to read it.";
    const readout = element("p", { class: "readout", "aria-live": "polite" }, intro + (others.length ? " Off the diagonal, r is the correlation of two matrices." : " The run keeps no reference to compare with."));
    const { bar, point } = colourBar(colours, [...names].join(", "));
    const drawn = alike.map((item) => matrix(item, item.instance < 0 ? `Reference ${called(item)}` : called(item), likeness(item, others), colours, readout, point));
    for (const item of others.filter((other) => !names.has(other.name))) {
      const scale = ownColours(item);
      const side = colourBar(scale, called(item) + (scale.logarithmic ? ", logarithmic; darkest: none" : ""));
      const made = matrix(item, called(item), "", scale, readout, side.point);
      made.append(side.bar);
      drawn.push(made);
    }
    document.getElementById("best-matrices").replaceChildren(element("h3", {}, `Instance ${instance}`),
      element("div", { class: "head" }, readout, bar), element("div", { class: "matrices" }, ...drawn));
  }

  function called(item) {
    return item.name + (item.exposure ? ` of ${item.exposure}` : "");
  }

  // How an instance's matrix agrees with those it can be compared with.
  function likeness(item, others) {
    if (item.instance < 0) return "";
    return others.filter((other) => !other.exposure || other.exposure === item.exposure)
      .map((other) => `r = ${figures(alikeness(item, other))} with ${other.name === item.name ? "the reference" : other.name}`).join(", ");
  }

  // Weights of tracts span decades: logarithmic then, without the zeros of regions that no tract joins.
  function ownColours(item) {
    const [low, high] = limits([item]);
    const positive = limits([{ size: item.size, values: item.values.map((value) => value > 0 ? value : NaN) }])[0];
    return low >= 0 && high > 100 * positive ? new Colours(positive, high, true) : new Colours(low, high);
  }

  function matrix(item, title, remark, colours, readout, point) {
    const size = item.size;
    const canvas = element("canvas", { "aria-hidden": "true" });
    paintCells(canvas, size, size, (column, row) => colours.at(item.values[row * size + column]));
    const field = element("div", { class: "field", tabindex: "0", role: "application", "aria-roledescription": "matrix", "aria-label": `${title}; arrow keys move` }, canvas);
    const name = (index) => data.regions[index] || `region ${index}`;
    walk(field, size, size, (column, row) => {
      const value = item.values[row * size + column];
      readout.replaceChildren(element("strong", {}, figures(value)), ` ${item.name}: ${name(row)}, ${name(column)}`);
      point(value);
    }, () => {});
    return element("figure", {}, element("figcaption", {}, title, element("small", {}, remark)), field);
  }

  // Bounds off the diagonal, which is 1 in every correlation and would hide the rest.
  function limits(items) {
    let low = Infinity, high = -Infinity;
    for (const { size, values } of items) {
      values.forEach((value, index) => {
        if (Math.floor(index / size) === index % size || !Number.isFinite(value)) return;
        low = Math.min(low, value);
        high = Math.max(high, value);
      });
    }
    return low > high ? [0, 1] : [low, high];
  }

  function alikeness(one, other) {
    let n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    one.values.forEach((x, index) => {
      const y = other.values[index];
      if (Math.floor(index / one.size) === index % one.size || !Number.isFinite(x) || !Number.isFinite(y)) return;
      n += 1; a += x; b += y; aa += x * x; bb += y * y; ab += x * y;
    });
    return (ab - a * b / n) / Math.sqrt((aa - a * a / n) * (bb - b * b / n));
  }

  draw();
  const best = (table.highest[metric] || []).find((instance) => owners.has(instance));
  if (best !== undefined) { chosen = best; draw(); showMatrices(best); }
}
