// One figure: its states, its points, its selection and its keyboard. figure.js starts it.

import { column, csv, curves, decoded, save, tableElement } from "./figure-data.js";
import { resolved } from "./figure-look.js";
import { fitted } from "./figure-picture.js";
import { element, tools } from "./figure-tools.js";

const CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  plotlyServerURL: "",
  displayModeBar: "hover",
  doubleClick: "reset+autosize",
  modeBarButtonsToRemove: ["lasso2d", "toImage", "sendChartToCloud", "zoomIn2d", "zoomOut2d"],
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

let plotly = null;

/** Plotly, loaded once and only by pages that draw. */
function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector("[data-plotly]").dataset.plotly;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = null; // so that another try is one
      reject(new Error("The drawing library could not be loaded."));
    };
    document.head.append(script);
  });
  return plotly;
}

const plain = (html) =>
  new DOMParser().parseFromString(String(html).replace(/<br\s*\/?>/g, "; "), "text/html").body.textContent;

export class Figure {
  constructor(host) {
    this.host = host;
    this.url = host.dataset.figure;
    this.title = host.dataset.title || "Figure";
    this.drawing = null;
    this.cursor = null;
    this.anchor = null;
    this.build();
    this.load();
  }

  build() {
    const id = `figure-${Math.random().toString(36).slice(2, 8)}`;
    this.host.classList.add("figure");
    this.stage = element("div", {
      class: "figure-stage",
      tabindex: "0",
      role: "application",
      "aria-label": this.title,
      "aria-roledescription": "figure",
      "aria-describedby": `${id}-summary`,
    });
    this.summary = element("p", { class: "unseen", id: `${id}-summary` });
    this.live = element("p", { class: "unseen", "aria-live": "polite" });
    this.notes = element("ul", { class: "figure-notes" });
    this.rows = element("div", { class: "figure-table scroll", hidden: true });
    this.tools = tools(this);
    this.host.replaceChildren(this.tools, this.stage, this.summary, this.live, this.notes, this.rows);
    this.height = this.room();
    this.stage.style.height = `${this.height}px`;
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("blur", () => this.leave());
    let width = 0;
    new ResizeObserver(() => {
      const now = this.stage.clientWidth;
      if (this.plot && now && now !== width) {
        clearTimeout(this.resizing);
        this.resizing = setTimeout(() => this.draw(), 120);
      }
      width = now;
    }).observe(this.stage);
  }

  /** `data-height` in px; "fill" takes what the window has left. */
  room() {
    if (this.host.dataset.height !== "fill") return Number(this.host.dataset.height) || 420;
    const above = this.stage.getBoundingClientRect().top + scrollY;
    return Math.max(440, Math.min(innerHeight - above - 40, 900));
  }

  // States

  say(kind, ...content) {
    window.Plotly?.purge(this.stage);
    this.plot = null;
    this.tools.hidden = true;
    this.stage.removeAttribute("aria-busy");
    this.stage.replaceChildren(element("div", { class: `figure-said ${kind}` }, ...content));
  }

  loading() {
    if (this.plot) {
      this.stage.setAttribute("aria-busy", "true"); // the old figure stays until the new one is there
      return;
    }
    this.stage.setAttribute("aria-busy", "true");
    this.stage.replaceChildren(element("div", { class: "skeleton figure-skeleton" }));
  }

  fail(sentence) {
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => this.load());
    this.say("failed", element("strong", {}, "The figure could not be drawn."), sentence, again);
  }

  async load(url = this.url) {
    this.url = url;
    this.request?.abort();
    this.request = new AbortController();
    this.loading();
    try {
      const [answer] = await Promise.all([
        fetch(url, { signal: this.request.signal, headers: { Accept: "application/json" } }),
        loadPlotly(),
      ]);
      if (answer.redirected && !answer.headers.get("content-type")?.includes("json")) {
        this.fail("You were logged out. Log in again; the address of this page keeps your choices.");
        return;
      }
      const body = await answer.json();
      if (!answer.ok) {
        this.fail(body.error?.message ?? `The server answered ${answer.status}.`);
        return;
      }
      this.show(body);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.fail(error instanceof TypeError ? "The server did not answer. Is it still running?" : error.message);
    }
  }

  show(drawing) {
    this.drawing = drawing;
    this.columns = drawing.table.map((each) => ({ ...each, values: column(each.values, drawing) }));
    this.cursor = this.anchor = null;
    this.notes.replaceChildren(...drawing.notes.map((note) => element("li", {}, note)));
    this.summary.textContent = drawing.summary;
    this.call.dataset.copy = drawing.call;
    if (drawing.empty) {
      const next = this.host.dataset.emptyHref
        ? [element("a", { class: "button", href: this.host.dataset.emptyHref }, this.host.dataset.emptyLabel)]
        : [];
      this.say("empty", element("strong", {}, drawing.empty), this.host.dataset.emptyHint ?? "", ...next);
      this.columns = [];
    } else {
      this.tools.hidden = false;
      this.draw();
    }
    if (!this.rows.hidden) this.fillTable();
    this.host.dispatchEvent(new CustomEvent("figure:drawn", { bubbles: true, detail: { drawing } }));
  }

  draw() {
    if (!this.drawing || this.drawing.empty) return;
    const { data, layout } = resolved(this.drawing, this.stage, this.height);
    const width = this.stage.clientWidth;
    const box = this.box;
    this.shapes = layout.shapes ?? [];
    layout.shapes = [...this.shapes, ...this.outline()];
    layout.uirevision = this.url; // a redraw, as for another theme, keeps the zoom
    layout.selectionrevision = this.drawings = (this.drawings ?? 0) + 1;
    fitted(data, layout, width, layout.height);
    this.stage.style.height = `${layout.height}px`;
    if (!this.plot) this.stage.replaceChildren();
    window.Plotly.react(this.stage, data, { ...layout, width }, CONFIG);
    this.stage.removeAttribute("aria-busy");
    if (!this.plot) this.listen();
    this.plot = this.stage;
    this.points = this.reachable();
    if (box) this.mark(this.rowsIn(box));
  }

  listen() {
    this.stage.removeAllListeners?.();
    this.stage.on("plotly_click", (event) => this.open(event.points[0]));
    this.stage.on("plotly_selected", (event) => {
      if (!event?.range?.x) return;
      const { x, y } = event.range;
      // Plotly finishes its own selection first.
      setTimeout(() => this.select([Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)]));
    });
    this.stage.on("plotly_deselect", () => setTimeout(() => this.box && this.select(null)));
  }

  // Points, and the rows of the table that belong to them

  /** Every mark that stands for a sample or for rows of the table, or every point of the first line. Traces say
      with `samples` to which sample each of their points leads, or with a single one that all do. */
  reachable() {
    const full = this.stage._fullData ?? [];
    const marks = [];
    this.leads = this.drawing.data.some((trace) => trace.samples);
    full.forEach((trace, curve) => {
      if (trace.type !== "scatter" || trace.visible !== true) return;
      const keys = this.leads ? (this.drawing.data[curve].samples ?? []) : decoded(trace.customdata);
      if (keys.length !== decoded(trace.x).length) return;
      if (trace.meta === "cell mark") return; // a cell is where its value stands
      const x = decoded(trace.x);
      const y = decoded(trace.y);
      const texts = trace.hovertext ?? [];
      for (let index = 0; index < keys.length; index += 1) {
        marks.push({ curve, index, key: keys[index], x: x[index], y: y[index], text: texts[index] });
      }
    });
    if (marks.length) return marks;
    const curve = full.findIndex((trace) => trace.meta === "data" && trace.visible === true);
    if (curve < 0) return [];
    const x = decoded(full[curve].x);
    const y = decoded(full[curve].y);
    return Array.from(x, (value, index) => ({
      curve,
      index,
      key: index,
      x: value,
      y: y[index],
      text: `${Number(value.toPrecision(6))}, ${Number(y[index].toPrecision(6))}`,
    }));
  }

  get cells() {
    return this.columns.find((column) => column.name === "cell")?.values;
  }

  rowsOf(keys) {
    const wanted = new Set(keys);
    const cells = this.cells;
    if (!cells) return [...wanted].sort((a, b) => a - b);
    return Array.from(cells.keys()).filter((row) => wanted.has(cells[row]));
  }

  rowsIn([x0, x1, y0, y1]) {
    const inside = this.points.filter((p) => p.x >= x0 && p.x <= x1 && p.y >= y0 && p.y <= y1);
    return this.rowsOf(inside.map((point) => point.key));
  }

  mark(rows) {
    const cells = this.cells;
    const keys = new Set(cells ? rows.map((row) => cells[row]) : rows);
    const full = this.stage._fullData;
    const curves = [...full.keys()].filter((curve) => full[curve].type === "scatter" && full[curve].customdata);
    const chosen = curves.map((curve) =>
      rows.length
        ? Array.from(decoded(full[curve].customdata)).flatMap((key, index) => (keys.has(key) ? [index] : []))
        : null,
    );
    if (curves.length) window.Plotly.restyle(this.stage, { selectedpoints: chosen }, curves);
  }

  /** The box as a shape of our own: Plotly's selections would choose marks one by one, not cells. */
  outline() {
    if (!this.box) return [];
    const [x0, x1, y0, y1] = this.box;
    const line = { width: 1, dash: "dot", color: getComputedStyle(this.stage).color };
    return [{ type: "rect", xref: "x", yref: "y", x0, x1, y0, y1, line }];
  }

  /** Choose the marks inside [x0, x1, y0, y1], or none; `told` is false when the address already says so. */
  select(box, told = true) {
    this.box = box;
    const rows = box && this.plot ? this.rowsIn(box) : [];
    if (this.plot) {
      window.Plotly.relayout(this.stage, { selections: [], shapes: [...this.shapes, ...this.outline()] });
      this.mark(rows);
    }
    this.host.dispatchEvent(new CustomEvent("figure:selected", { bubbles: true, detail: { box, rows, told } }));
  }

  open(point) {
    if (!this.drawing.open || !point) return;
    if (this.leads) {
      const samples = this.drawing.data[point.curveNumber ?? point.curve].samples ?? [];
      const code = samples.length === 1 ? samples[0] : samples[point.pointNumber ?? point.index];
      if (code) location.assign(this.drawing.open.replace("CODE", encodeURIComponent(code)));
      return;
    }
    let key = point.customdata ?? point.key;
    if (Array.isArray(key)) key = key[0];
    const cells = this.cells;
    const drawn = this.columns.find((column) => column.name === "in the colour")?.values;
    const row = cells ? this.rowsOf([key]).find((each) => drawn[each] === "yes") : key;
    const code = this.columns[0]?.values[row];
    if (code) location.assign(this.drawing.open.replace("CODE", encodeURIComponent(code)));
  }

  // Keyboard

  key(event) {
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = ARROWS[event.key];
    if (direction && this.points?.length) this.step(direction, event.shiftKey);
    else if (event.key === "Enter" && this.cursor) this.open(this.cursor);
    else if (event.key === "t") this.toggleTable();
    else if (event.key === "Escape" && this.box) this.select(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  step([dx, dy], extending) {
    const at = (point) => {
      const [x, y] = this.axesOf(point).map((id) => this.stage._fullLayout[`${id[0]}axis${id.slice(1)}`]);
      return [x._offset + x.d2p(point.x), -y._offset - y.d2p(point.y)];
    };
    if (!this.cursor) {
      const [first] = this.points.map((point) => [at(point), point]).sort(([a], [b]) => a[0] - b[0] || a[1] - b[1]);
      this.go(first[1]);
      return;
    }
    const [x, y] = at(this.cursor);
    let best = null;
    let least = Infinity;
    for (const point of this.points) {
      const [px, py] = at(point);
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      const cost = along + 3 * aside;
      if (along > 0.5 && cost < least) [best, least] = [point, cost];
    }
    if (!best) return;
    if (extending) this.anchor ??= this.cursor;
    else this.anchor = null;
    this.go(best);
    if (this.anchor) {
      const [a, b] = [this.anchor, best];
      const pad = (low, high) => [low - Math.abs(high - low || low || 1) * 1e-3, high + Math.abs(high - low || low || 1) * 1e-3];
      const xs = pad(Math.min(a.x, b.x), Math.max(a.x, b.x));
      const ys = pad(Math.min(a.y, b.y), Math.max(a.y, b.y));
      this.select([...xs, ...ys]);
    }
  }

  /** ["x2", "y2"] in a figure of several panels. */
  axesOf(point) {
    const { xaxis = "x", yaxis = "y" } = this.stage._fullData[point.curve];
    return [xaxis, yaxis];
  }

  go(point) {
    this.cursor = point;
    const where = [{ curveNumber: point.curve, pointNumber: point.index }];
    window.Plotly.Fx.hover(this.stage, where, this.axesOf(point).join(""));
    this.live.textContent = plain(point.text ?? "");
  }

  leave() {
    if (this.plot && this.cursor) window.Plotly.Fx.unhover(this.stage);
  }

  // Numbers and pictures to take away

  toggleTable() {
    this.rows.hidden = !this.rows.hidden;
    this.tableButton.setAttribute("aria-expanded", String(!this.rows.hidden));
    if (!this.rows.hidden) this.fillTable();
  }

  fillTable() {
    this.rows.replaceChildren(tableElement(this.columns, this.drawing.open));
  }

  saveCsv() {
    save(new Blob([csv([...this.columns, ...curves(this.drawing)])], { type: "text/csv;charset=utf-8" }), `${this.drawing.filename}.csv`);
  }
}
