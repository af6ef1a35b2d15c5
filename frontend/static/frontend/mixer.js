// The LED mixer: while a slider moves, figure and numbers follow, and the address holds where it stands. A slider
// rewrites the address, so that Back leads past its every step to the sample chosen before.

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
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  history.replaceState(null, "", `${location.pathname}?${query}`);
  plot.figure.load(`${new URL(plot.dataset.figure, location.href).pathname}?${query}`);
}

form.addEventListener("input", ({ target }) => {
  if (target.type !== "range") return;
  write(target);
  waiting ||= setTimeout(follow, EVERY_MS);
});
form.addEventListener("change", (event) => {
  if (event.target.type === "range") event.stopPropagation(); // figure.js would make a step of the history of it
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
