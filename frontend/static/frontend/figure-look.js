// Colours and type: a figure names tokens of the stylesheet, and gets them as the page, or paper, shows them.

import { stacked } from "./figure-columns.js";

const TOKEN = /^(?:var\(--|color-mix\()/;
const MM_IN_PX = 96 / 25.4;
const NARROW_STAGE_PX = 640;
const NARROW_PX = 100 * MM_IN_PX; // a column of a journal, not its page

/** Looks tokens up as `scheme` shows them; computed colours come back as Plotly can read them. */
function reader(scheme) {
  const probe = document.createElement("i");
  if (scheme) probe.style.colorScheme = scheme;
  document.documentElement.append(probe);
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const look = (written) => {
    if (written === "var(--sans)") return getComputedStyle(document.documentElement).getPropertyValue("--sans").trim();
    probe.style.color = written;
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = getComputedStyle(probe).color;
    pixel.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
    return a === 255 ? `rgb(${r}, ${g}, ${b})` : `rgba(${r}, ${g}, ${b}, ${(a / 255).toFixed(3)})`;
  };
  return {
    token: (written) => {
      if (!known.has(written)) known.set(written, look(written));
      return known.get(written);
    },
    done: () => probe.remove(),
  };
}

/** A copy in which every var(--token), and every mix of them, is a colour. Packed arrays are passed on as they are. */
function painted(value, token) {
  if (typeof value === "string") return TOKEN.test(value) ? token(value) : value;
  if (Array.isArray(value)) return value.map((each) => painted(each, token));
  if (value && typeof value === "object") {
    if (value.bdata) return { ...value };
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, painted(each, token)]));
  }
  return value;
}

function coloured(drawing, scheme) {
  const { token, done } = reader(scheme);
  const copy = { data: painted(drawing.data, token), layout: painted(drawing.layout, token) };
  done();
  for (const trace of copy.data) {
    if (trace.line && trace.type === "scatter") trace.line.simplify = false; // curves stay round
  }
  return copy;
}

/** Plotly writes powers of ten a quarter larger than other ticks; here all are of one size. */
function evenTicks(layout) {
  for (const [name, axis] of Object.entries(layout)) {
    if (!/^[xy]axis/.test(name)) continue;
    const size = layout.font.size * 0.92;
    axis.tickfont = { size: axis.type === "log" && !axis.ticktext ? size / 1.25 : size };
  }
}

/** Titles of axes that would be longer than their panel are broken at a space, and smaller on a narrow stage. */
function brokenTitles(layout, width) {
  const { l, r } = layout.margin;
  const panels = Object.entries(layout).filter(([name, axis]) => /^[xy]axis/.test(name) && axis.title?.text);
  const size = layout.font.size * (width < 760 && panels.length > 2 ? 0.95 : 1.2);
  for (const [name, axis] of panels) {
    axis.title.font = { size };
    if (name.startsWith("y")) continue;
    const [from, to] = axis.domain ?? [0, 1];
    const room = (width - l - r) * (to - from);
    if (axis.type !== "log" && !axis.tickvals && (axis.nticks || room < 220)) {
      axis.tickangle = 0;
      axis.nticks = Math.min(axis.nticks ?? 6, Math.max(2, Math.floor(room / (2.8 * layout.font.size))));
    }
    const letters = Math.max(8, (room * 1.25) / (0.56 * size));
    axis.title.text = broken(axis.title.text, letters);
  }
}

/** Of levels along y whose names would touch, some stay without one: the first of each pair that is too near. */
export function thinned(layout, height) {
  const { t, b } = layout.margin;
  for (const [name, axis] of Object.entries(layout)) {
    if (!name.startsWith("yaxis") || !axis.ticktext || !axis.range) continue;
    const [from, to] = axis.domain ?? [0, 1];
    const scale = ((height - t - b) * (to - from)) / (axis.range[1] - axis.range[0]);
    const at = (value) => (axis.type === "log" ? Math.log10(value) : value) * scale;
    let last = -Infinity;
    axis.ticktext = axis.ticktext.map((text, row) => {
      const place = at(axis.tickvals[row]);
      if (!text || place - last < axis.tickfont.size * 1.15) return "";
      last = place;
      return text;
    });
  }
}

/** In lines of at most so many letters, as far as its words allow; markup counts for nothing. */
export function broken(text, letters) {
  const plain = (part) => part.replace(/<[^>]*>/g, "").length;
  if (plain(text) <= letters) return text;
  const lines = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && plain(last) + 1 + plain(word) <= letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("<br>");
}

/** As the page shows it now; a narrow stage gets smaller margins, and panels below each other. */
export function resolved(drawing, stage, height) {
  const copy = coloured(drawing, "");
  if (stage.clientWidth < 520) {
    copy.layout.font.size = 12;
    copy.layout.margin = { l: 52, r: 8, t: 26, b: 44 };
  }
  const { l, r, t, b } = copy.layout.margin;
  const room = stage.clientWidth - l - r;
  const narrow = stage.clientWidth < NARROW_STAGE_PX;
  copy.layout.height = narrow ? stacked(copy.data, copy.layout, room, height - t - b) + t + b : height;
  evenTicks(copy.layout);
  brokenTitles(copy.layout, stage.clientWidth);
  thinned(copy.layout, copy.layout.height);
  copy.layout.modebar = { bgcolor: "rgba(0,0,0,0)", orientation: "v" };
  return copy;
}

/** Rows that the legend takes: Plotly gives every entry the width of the longest as soon as one row is too short. */
function legendRows({ data, layout }, room) {
  const named = data.filter((trace) => trace.name && trace.showlegend !== false && trace.visible !== false);
  const widths = named.map(({ name }) => 45 + 0.6 * layout.legend.font.size * name.replace(/<[^>]*>/g, "").length);
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (layout.showlegend === false || total < room) return 1;
  return Math.ceil(widths.length / Math.max(1, Math.floor(room / Math.max(...widths))));
}

/** The height of a figure `width` px wide, in a narrow column as high as its panels need. */
function paperHeight(copy, width) {
  const { layout } = copy;
  const { l, r, t, b } = layout.margin;
  const room = width - l - r;
  if (width >= NARROW_PX) return Math.round(width * 0.6);
  const { xaxis, yaxis } = layout;
  const square = yaxis.scaleanchor && xaxis.range && yaxis.range;
  const panels = Object.entries(layout).filter(([name, axis]) => /^yaxis/.test(name) && axis.domain).length;
  let height = width * (panels > 2 ? 1 : 0.78) - t - b;
  if (square) height = (room * (yaxis.range[1] - yaxis.range[0])) / (xaxis.range[1] - xaxis.range[0]);
  height = stacked(copy.data, layout, room, height);
  return Math.round(height + t + b + (legendRows(copy, room) - 1) * 2.1 * layout.legend.font.size);
}

/** As on paper: light, white, and in the type of a journal at the width it will have; the layout says its size. */
export function paper(drawing, stage, width_mm, height) {
  const copy = coloured(drawing, "light");
  const { layout } = copy;
  layout.paper_bgcolor = "#ffffff";
  layout.width = width_mm ? Math.round(width_mm * MM_IN_PX) : stage.clientWidth;
  layout.height = height;
  if (width_mm) {
    const small = layout.width < NARROW_PX;
    layout.font.size = small ? 9 : 10.5;
    layout.legend.font.size = small ? 8.5 : 9.5;
    layout.margin = small ? { l: 40, r: 6, t: 18, b: 34 } : { l: 54, r: 10, t: 22, b: 44 };
    layout.height = paperHeight(copy, layout.width);
    smaller(copy, layout.font.size / drawing.layout.font.size, small ? 0.6 : 1);
  }
  evenTicks(layout);
  brokenTitles(layout, layout.width);
  thinned(layout, layout.height);
  return copy;
}

/** Words and marks of a figure, scaled with its type. */
function smaller({ data, layout }, times, marks) {
  for (const words of layout.annotations ?? []) {
    if (words.font?.size) words.font.size *= times;
    const ways = words.axref ? ["xshift", "yshift"] : ["ax", "ay", "xshift", "yshift"]; // a place stays
    for (const way of ways) if (words[way]) words[way] *= times;
  }
  for (const trace of data) {
    if (trace.textfont?.size) trace.textfont.size *= times;
    if (typeof trace.marker?.size === "number") trace.marker.size *= marks;
    if (!trace.colorbar) continue;
    trace.colorbar.thickness = 7;
    trace.colorbar.tickfont = { ...trace.colorbar.tickfont, size: layout.font.size * 0.92 };
    trace.colorbar.title.font = { ...trace.colorbar.title.font, size: layout.font.size * 1.1 };
  }
}
