// Panels that stand beside each other on a page stand below each other in the column of a journal or on a small screen.

const GAP = 5.1; // letters between two rows for ticks and title of the upper
const HEADING = 1.8; // letters more where the lower has a heading
const LABELS = 0.8; // of the width that is left to a panel beside which words stand
const named = (layout, letter) => Object.entries(layout).filter(([name]) => name.startsWith(`${letter}axis`));
const short = (name) => name.replace("axis", ""); // "xaxis2" → "x2", as traces say it
const long = (id) => `${id[0]}axis${id.slice(1)}`;

/** Which panels share an extent along x, from the left: [{from, to, x: names, y: names}]. */
function columnsOf(layout) {
  const found = new Map();
  for (const [name, axis] of named(layout, "x")) {
    const [from, to] = axis.domain ?? [0, 1];
    if (!found.has(from)) found.set(from, { from, to, x: [], y: [] });
    found.get(from).x.push(name);
  }
  const columns = [...found.values()].sort((a, b) => a.from - b.from);
  for (const [name, axis] of named(layout, "y")) {
    const holder = columns.find((column) => column.x.includes(long(axis.anchor ?? "x")));
    (holder ?? columns[0]).y.push(name);
  }
  return columns;
}

/** Columns that read one y axis stand three in a row, others alone. */
function rowsOf(columns) {
  const shared = columns.slice(1).every((column) => !column.y.length);
  const each = shared ? 3 : 1;
  const rows = [];
  for (let at = 0; at < columns.length; at += each) rows.push(columns.slice(at, at + each));
  return rows;
}

const gutter = (words, column) =>
  words.xref === "paper" && words.xanchor === "left" && words.x >= column.to - 1e-6 && words.xshift > 0;

/** The last column that begins at or before x, of words that stand on the paper. */
const columnAt = (columns, x) => columns.findLast(({ from }) => from <= x + 1e-6) ?? columns[0];

/** Where a point of the paper goes: [x, y] of the column's old place to its new one. */
const moved = (column, x, y) => [
  column.left + ((x - column.from) / (column.to - column.from)) * (column.right - column.left),
  column.low + y * (column.high - column.low),
];

function gapOf(words, letter_px) {
  const headed = words.some((each) => each.yref === "paper" && each.yanchor === "bottom");
  return letter_px * (headed ? GAP + HEADING : GAP);
}

/** Each column's new place on the paper, from the uppermost row down. */
function place(rows, words, width, height, gap_px) {
  const gap = gap_px / height;
  const room = 1 - gap * (rows.length - 1);
  const widest = Math.max(...rows.flat().map(({ from, to }) => to - from));
  const weights = rows.map((row) => Math.max(...row.map(({ from, to }) => Math.max(0.75, (to - from) / widest))));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let high = 1;
  rows.forEach((row, at) => {
    const low = at === rows.length - 1 ? 0 : high - (room * weights[at]) / total;
    const between = 22 / width;
    const share = (1 - between * (rows[0].length - 1)) / rows[0].length;
    row.forEach((column, number) => {
      const left = number * (share + between);
      const narrow = words.some((each) => gutter(each, column) && columnAt(row, each.x) === column);
      Object.assign(column, { low, high, left, right: left + share * (narrow ? LABELS : 1) });
    });
    high = low - gap;
  });
}

/** A row below the first of columns that share a y axis gets an axis of its own, like it. */
function ownAxes(rows, data, layout) {
  rows.slice(1).forEach((row, at) => {
    if (row.some((column) => column.y.length)) return;
    const id = `y${named(layout, "y").length + 1}`;
    layout[long(id)] = { ...structuredClone(layout.yaxis), anchor: short(row[0].x[0]), matches: "y" };
    row[0].y.push(long(id));
    const mine = new Set(row.flatMap((column) => column.x.map(short)));
    for (const trace of data) if (mine.has(trace.xaxis)) trace.yaxis = id;
    for (const name of row.flatMap((column) => column.x)) layout[name].anchor = id;
  });
}

/** Changes data and layout, whose paper is `width` px wide and was `height` px high; returns its new height. */
export function stacked(data, layout, width, height) {
  const columns = columnsOf(layout);
  if (columns.length < 2) return height;
  const rows = rowsOf(columns);
  ownAxes(rows, data, layout);
  const words = layout.annotations ?? [];
  const gap = gapOf(words, layout.font?.size ?? 12);
  const taller = height * (rows.length > 2 ? 0.7 : 0.8) * rows.length + gap * (rows.length - 1);
  place(rows, words, width, taller, gap);
  for (const column of columns) {
    for (const name of column.x) layout[name].domain = [column.left, column.right];
    for (const name of column.y) {
      const [from, to] = layout[name].domain ?? [0, 1];
      layout[name].domain = [moved(column, 0, from)[1], moved(column, 0, to)[1]];
    }
  }
  for (const each of words) {
    if (each.xref !== "paper") continue;
    const column = columnAt(columns, each.x);
    [each.x, each.y] = moved(column, each.x, each.y);
  }
  if (layout.legend?.y > 1) layout.legend.y = 1 + ((layout.legend.y - 1) * height) / taller;
  return Math.round(taller);
}
