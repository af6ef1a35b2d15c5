// The numbers behind a figure: typed arrays, CSV and the table.

const TYPES = {
  f8: Float64Array,
  f4: Float32Array,
  i4: Int32Array,
  i2: Int16Array,
  u1: Uint8Array,
};

/** An array from Plotly's {dtype, bdata}; anything else as it is. */
export function decoded(spec) {
  if (!spec?.bdata || !(spec.dtype in TYPES)) return spec ?? [];
  const binary = atob(spec.bdata);
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return new TYPES[spec.dtype](bytes.buffer);
}

/** A column of the table; what the figure draws anyway, or what repeats itself, travelled once. */
export function column(spec, drawing) {
  if (spec?.drawn) return decoded(drawing.data[0][spec.drawn]);
  if (!spec?.repeat) return decoded(spec);
  const once = decoded(spec.repeat);
  const all = new once.constructor(once.length * spec.each * spec.times);
  for (let row = 0; row < all.length; row += 1) all[row] = once[Math.floor(row / spec.each) % once.length];
  return all;
}

export const heading = ({ name, unit }) => (unit ? `${name} (${unit})` : name);

const written = (value, digits = 12) =>
  typeof value !== "number" ? value : Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : "";

const digitsOf = ({ values }) => (values instanceof Float32Array ? 7 : 12);

/** RFC 4180; an unknown number is an empty cell. A text that a spreadsheet would run is made a text. */
export function csv(columns, rows = null) {
  const quoted = (value, digits) => {
    const text = String(written(value, digits) ?? "");
    const safe = typeof value === "string" && /^[=+@\t]./.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const height = Math.max(0, ...columns.map((column) => column.values.length));
  const wanted = rows ?? Array.from({ length: height }, (_, row) => row);
  const lines = [columns.map((column) => quoted(heading(column))).join(",")];
  for (const row of wanted) lines.push(columns.map((column) => quoted(column.values[row] ?? "", digitsOf(column))).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** What is drawn and stands in no table, as columns: an x and a y for each trace. */
export function curves({ data, curves: drawn }) {
  return data
    .filter(({ meta }) => drawn && meta in drawn.y)
    .flatMap(({ name = "", meta, x, y }) => {
      const called = name.replace(/<[^>]*>/g, "");
      return [
        { name: `${called}: ${drawn.x}`, values: decoded(x) },
        { name: `${called}: ${drawn.y[meta]}`, values: decoded(y) },
      ];
    });
}

const MOST_ROWS = 3000;

/** Rows of a table as they are drawn; sample codes lead to their pages. */
export function tableElement(columns, open = "", rows = null) {
  const height = Math.max(0, ...columns.map((column) => column.values.length));
  const wanted = rows ?? Array.from({ length: Math.min(height, MOST_ROWS) }, (_, row) => row);
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const column of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = heading(column);
    if (typeof column.values[0] === "number") cell.className = "number";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of wanted) {
    const line = body.insertRow();
    for (const column of columns) {
      const cell = line.insertCell();
      const value = column.values[row];
      if (column.name === "sample" && open) {
        const link = document.createElement("a");
        link.href = open.replace("CODE", encodeURIComponent(value));
        link.textContent = value;
        cell.append(link);
      } else if (typeof value === "number") {
        cell.className = "number";
        cell.textContent = Number.isFinite(value) ? String(Number(value.toPrecision(6))).replace("-", "−") : "";
      } else cell.textContent = value ?? "";
    }
  }
  if (!rows && height > MOST_ROWS) {
    table.createCaption().textContent = `The first ${MOST_ROWS} of ${height} rows; the CSV holds all.`;
  }
  return table;
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
