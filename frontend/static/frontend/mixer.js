// The LED mixer: while a slider moves, the figure and the numbers follow; figure.js writes the address when it
// is let go.

const form = document.getElementById("mix");
const plot = document.getElementById("plot");
const EVERY_MS = 80;
let waiting = 0;

function write(field) {
  const output = field.closest(".slider")?.querySelector("output");
  if (output) output.textContent = `${field.value}\u202f${field.dataset.unit}`;
}

function follow() {
  waiting = 0;
  const address = new URL(plot.dataset.figure, location.href);
  plot.figure.load(`${address.pathname}?${new URLSearchParams(new FormData(form))}`);
}

form.addEventListener("input", ({ target }) => {
  write(target);
  if (!waiting && target.type === "range") waiting = setTimeout(follow, EVERY_MS);
});
form.addEventListener("change", () => {
  clearTimeout(waiting); // figure.js loads what is final
  waiting = 0;
});
form.addEventListener("figure:steered", () => {
  for (const field of form.querySelectorAll("input[type=range]")) write(field);
});

plot.addEventListener("figure:drawn", ({ detail }) => {
  for (const [key, value] of Object.entries(detail.drawing.mixed ?? {})) {
    const place = document.querySelector(`[data-mixed="${key}"]`);
    if (place && place.textContent !== value) place.textContent = value;
  }
});
