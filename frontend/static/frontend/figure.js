// A figure is <div data-figure="URL">: this script fetches what to draw, draws it in the page's own colours,
// and gives every figure the same tools: SVG and PNG, CSV, the call, a table, and the keyboard.
//
// The address answers {data, layout, table, summary, notes, empty, call, open, filename}. Colours in it are
// written var(--token) and looked up here, so that one figure serves light, dark and paper.
// Pages listen for "figure:drawn" and "figure:selected" and steer through element.figure.

import { Figure } from "./figure-view.js";

function start(root = document) {
  for (const host of root.querySelectorAll("[data-figure]")) {
    if (!host.figure) host.figure = new Figure(host);
  }
}

// Forms that steer a figure: what they say stands in the page's address and goes to the figure's.

function queryOf(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") query.append(name, value);
  return query;
}

function steer(form, push) {
  const host = document.querySelector(form.dataset.steers);
  const query = queryOf(form);
  const address = new URL(host.dataset.figure, location.href);
  const full = new URLSearchParams([...new URLSearchParams(host.dataset.fixed ?? ""), ...query]);
  if (push) history.pushState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  host.figure.box = null;
  host.figure.load(`${address.pathname}?${full}`);
  form.dispatchEvent(new CustomEvent("figure:steered", { bubbles: true }));
}

/** Put what the address says into the form, so that Back shows the choices it goes back to. */
function refill(form) {
  const query = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (!field.name) continue;
    const values = query.getAll(field.name);
    if (field.type === "checkbox") field.checked = values.includes(field.value);
    else if (field.type === "radio") field.checked = (values[0] ?? field.dataset.initial) === field.value;
    else field.value = values[0] ?? field.dataset.initial ?? "";
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.dataset.steers) steer(form, true);
});
document.addEventListener("submit", (event) => {
  if (!event.target.dataset.steers) return;
  event.preventDefault();
  steer(event.target, true);
});
addEventListener("popstate", () => {
  for (const form of document.querySelectorAll("form[data-steers]")) {
    refill(form);
    steer(form, false);
  }
});

document.addEventListener("vitrine:theme", () => {
  for (const host of document.querySelectorAll("[data-figure]")) host.figure?.draw();
});
// A part of the page that follows runs carries a stamp of them; when that changes, its figure is stale.
const stamps = new Map();
function restamp() {
  for (const part of document.querySelectorAll("[data-stamp]")) {
    const { stamp, stamps: figure } = part.dataset;
    const before = stamps.get(figure);
    stamps.set(figure, stamp);
    if (before !== undefined && before !== stamp) document.querySelector(figure)?.figure?.load();
  }
}

document.addEventListener("htmx:afterSettle", () => {
  start();
  restamp();
});
start();
restamp();
