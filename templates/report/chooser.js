// Which parameters lie on which axes of a picture, and at which level the others stand.
class Chooser {
  // `roles` are [name, label, mayBeEmpty]; `levels(axis)` are those that can be chosen; `withMean` adds "all".
  constructor(box, roles, { levels, withMean, onchange }) {
    Object.assign(this, { box, roles, levels, withMean, onchange });
    this.axis = {};
    roles.forEach(([role], place) => { this.axis[role] = place < data.axes.length ? place : -1; });
    this.level = data.axes.map((axis, place) => this.nearest(place, axis.initial));
    this.render();
  }

  nearest(place, level) {
    if (level < 0 && this.withMean) return -1;
    const known = this.levels(place);
    return known.reduce((best, item) => Math.abs(item - level) < Math.abs(best - level) ? item : best, known[0]);
  }

  free() {
    const used = new Set(Object.values(this.axis));
    return data.axes.map((_, place) => place).filter((place) => !used.has(place));
  }

  // Whether a cell or a trace with these levels is at the chosen levels of the axes that are not drawn.
  fits(levels, item, count) {
    return this.free().every((axis) => this.level[axis] < 0 || levels[axis * count + item] === this.level[axis]);
  }

  choose(role, value) {
    const taken = Object.keys(this.axis).find((other) => other !== role && this.axis[other] === value && value >= 0);
    if (taken) this.axis[taken] = this.axis[role];
    this.axis[role] = value;
    this.render();
    this.onchange();
  }

  render() {
    const active = document.activeElement && this.box.contains(document.activeElement) ? document.activeElement.id : "";
    const selects = this.roles.filter(([role]) => data.axes.length > 1 || role === "x").map(([role, label, optional]) => {
      const options = data.axes.map((axis, place) => [place, axis.name]);
      if (optional) options.unshift([-1, "none"]);
      const made = choice(label, options, this.axis[role], (value) => this.choose(role, Number(value)));
      made.querySelector("select").id = `${this.box.id}-${role}`;
      return made;
    });
    this.box.replaceChildren(...selects, ...this.free().map((axis) => this.slider(axis)));
    if (active) document.getElementById(active)?.focus();
  }

  slider(place) {
    const axis = data.axes[place];
    const stops = [...(this.withMean ? [-1] : []), ...this.levels(place)];
    const text = () => this.level[place] < 0 ? "all (mean)" : axis.texts[this.level[place]] + (axis.unit ? " " + axis.unit : "");
    const output = element("output", {}, text());
    const range = element("input", {
      type: "range", min: 0, max: stops.length - 1, step: 1, value: stops.indexOf(this.level[place]),
      id: `${this.box.id}-at-${place}`, "aria-valuetext": text(),
    });
    range.addEventListener("input", () => {
      this.level[place] = stops[Number(range.value)];
      output.textContent = text();
      range.setAttribute("aria-valuetext", text());
      this.onchange();
    });
    return element("label", { title: axis.description }, element("span", {}, `${axis.name} = `, output), range);
  }
}

function levelText(place, level) {
  const axis = data.axes[place];
  return `${axis.name} = ${axis.texts[level]}${axis.unit ? " " + axis.unit : ""}`;
}
