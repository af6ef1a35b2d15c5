// Explore: the drawer that shows exactly the samples inside the box, which stands in the address as box=x0,x1,y0,y1.

import { csv, save, tableElement } from "./figure-data.js";

const plot = document.getElementById("plot");
const form = document.getElementById("question");
const drawer = document.getElementById("drawer");
const title = document.getElementById("drawer-title");
let chosen = [];

function boxInAddress() {
  const numbers = (new URLSearchParams(location.search).get("box") ?? "").split(",").map(Number);
  return numbers.length === 4 && numbers.every(Number.isFinite) ? numbers : null;
}

function tell(box) {
  const query = new URLSearchParams(location.search);
  if (box) query.set("box", box.map((number) => Number(number.toPrecision(6))).join(","));
  else query.delete("box");
  const text = query.toString().replaceAll("%2C", ",");
  history.replaceState(null, "", `${location.pathname}${text ? `?${text}` : ""}`);
}

function show(rows) {
  chosen = rows;
  drawer.hidden = rows.length === 0;
  const { columns, drawing } = plot.figure;
  if (!rows.length) return;
  const samples = new Set(rows.map((row) => columns[0].values[row])).size;
  const values = rows.length === samples ? "" : `, ${rows.length} values`;
  title.textContent = `${samples} ${samples === 1 ? "sample" : "samples"} selected${values}`;
  const wanted = columns.filter((column) => !["cell", "in the colour"].includes(column.name));
  document.getElementById("drawer-rows").replaceChildren(tableElement(wanted, drawing.open, rows));
}

plot.addEventListener("figure:selected", ({ detail }) => {
  if (detail.told) tell(detail.box);
  show(detail.rows);
});
plot.addEventListener("figure:drawn", ({ detail }) => {
  const box = boxInAddress();
  if (box && !detail.drawing.empty) {
    plot.figure.box = box;
    plot.figure.draw();
    plot.figure.select(box, false);
  } else show([]);
});

drawer.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-drawer]")?.dataset.drawer;
  if (asked === "clear") plot.figure.select(null);
  if (asked === "csv") {
    const text = csv(plot.figure.columns, chosen);
    save(new Blob([text], { type: "text/csv;charset=utf-8" }), `${plot.figure.drawing.filename}-selected.csv`);
  }
});

form.querySelector("[data-clear]").addEventListener("click", () => {
  for (const field of form.querySelectorAll(".explore-filters input, .explore-filters select")) {
    if (field.type === "checkbox") field.checked = false;
    else field.value = field.dataset.initial ?? "";
  }
  form.requestSubmit();
});
