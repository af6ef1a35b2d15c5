// The recipe editor: rows come, go and change places; what follows from their numbers is said while one types.

import { draw, minutes, number, possible, programmeMin } from "./programme.js";

const form = document.querySelector("[data-recipe]");
const components = form.querySelector("[data-rows-here]");
const steps = form.querySelector("[data-steps]");
const NARROW = "\u202f";

const valueOf = (holder, name) => holder.querySelector(`[data-field="${name}"]`)?.value.trim() ?? "";

function numberOf(holder, name) {
  const typed = valueOf(holder, name);
  const value = Number(typed.replace(",", "."));
  return typed === "" || !Number.isFinite(value) ? null : value;
}

const positive = (value) => (value > 0 ? value : null);

// Places: the number in a field's name is the row's place, so the server reads them in order.

function renumber() {
  [...components.children].forEach((row, place) => rename(row, /component-[^-]+/, `component-${place}`));
  [...steps.children].forEach((step, place) => {
    step.querySelector("[data-place]").textContent = `${place + 1}.`;
    rename(step, /step-[^-]+/, `step-${place}`);
    [...(step.querySelector("[data-segments]")?.children ?? [])].forEach((segment, order) =>
      rename(segment, /(step-[^-]+|__step__)-segment-[^-]+/, `step-${place}-segment-${order}`),
    );
  });
  say();
}

function rename(holder, pattern, prefix) {
  for (const field of holder.querySelectorAll("[name]")) field.name = field.name.replace(pattern, prefix);
  for (const field of holder.querySelectorAll("[id]")) field.id = field.id.replace(pattern, prefix);
  for (const label of holder.querySelectorAll("label[for]")) label.htmlFor = label.htmlFor.replace(pattern, prefix);
}

function placed(holder, blank) {
  holder.append(blank.content.cloneNode(true));
  renumber();
  holder.lastElementChild.querySelector("input:not([type=hidden]), select").focus();
}

function move(row, by) {
  const focused = document.activeElement;
  if (by < 0 && row.previousElementSibling) row.previousElementSibling.before(row);
  if (by > 0 && row.nextElementSibling) row.nextElementSibling.after(row);
  renumber();
  if (row.contains(focused)) focused.focus();
}

form.addEventListener("click", ({ target }) => {
  const button = target.closest("button[type=button]");
  if (!button) return;
  const row = button.closest("[data-segment], [data-row], [data-step]");
  if (button.matches("[data-add-component]")) {
    placed(components, form.querySelector("[data-blank-component]"));
  } else if (button.matches("[data-add-step]")) {
    placed(steps, form.querySelector(`[data-blank-step="${form.querySelector("[data-add-kind]").value}"]`));
  } else if (button.matches("[data-add-segment]")) {
    placed(row.querySelector("[data-segments]"), form.querySelector("[data-blank-segment]"));
  } else if (button.matches("[data-up]")) {
    move(row, -1);
  } else if (button.matches("[data-down]")) {
    move(row, 1);
  } else if (button.matches("[data-remove]")) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    renumber();
    next?.querySelector("input:not([type=hidden]), select")?.focus();
  }
});

form.addEventListener("keydown", (event) => {
  if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  const row = event.target.closest("[data-segment], [data-step]");
  if (!row) return;
  event.preventDefault();
  move(row, event.key === "ArrowUp" ? -1 : 1);
});

// Another project has other materials.
form.querySelector("[data-goes-to]")?.addEventListener("change", ({ target }) => {
  location.assign(`${target.dataset.goesTo}?project=${encodeURIComponent(target.value)}`);
});

// What is left empty is not sent: a long recipe stays within what the server reads.
form.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

// What follows from the numbers

function say() {
  weigh();
  for (const step of steps.children) {
    const said = step.querySelector("[data-derived]");
    if (step.dataset.step === "milling") said.textContent = milled(step);
    if (step.dataset.step === "sintering") said.textContent = sintered(step);
  }
}

function milled(step) {
  const balls = positive(numberOf(step, "ball_mass_g"));
  const powder = positive(numberOf(step, "powder_mass_g"));
  const millings = [...steps.querySelectorAll('[data-step="milling"]')];
  const times = millings.slice(0, millings.indexOf(step) + 1).map((one) => positive(numberOf(one, "duration_min")));
  const together = times.length > 1 && !times.includes(null) ? times.reduce((a, b) => a + b) : null;
  return [
    balls && powder ? `ball-to-powder ratio ${number(balls / powder)}` : "",
    together ? `${minutes(together)} of milling up to here` : "",
  ].filter(Boolean).join(" · ");
}

function sintered(step) {
  const segments = [...step.querySelectorAll("[data-segment]")]
    .map((row) => ({
      target_c: numberOf(row, "target_c"),
      ramp_c_per_min: positive(numberOf(row, "ramp_c_per_min")),
      hold_min: numberOf(row, "hold_min"),
    }))
    .filter(possible);
  step.querySelector("[data-programme]").innerHTML = draw(segments, quenchAfter(step));
  if (!segments.length) return "";
  const total = programmeMin(segments);
  return total === null ? "duration not known: a ramp or hold is not stated" : `${minutes(total)} from 25${NARROW}°C`;
}

function quenchAfter(step) {
  const next = step.nextElementSibling;
  if (next?.dataset.step !== "quench" || !valueOf(next, "medium")) return null;
  const medium = next.querySelector('[data-field="medium"]');
  return { label: medium.selectedOptions[0].text, rate_c_per_min: positive(numberOf(next, "rate_c_per_min")) };
}

// Fractions of mass, moles and volume from the one that is typed: n = w/M, V = w/ρ.

const PER_GRAM = { mass: () => 1, mole: ({ molar }) => 1 / molar, volume: ({ density }) => 1 / density };
const NEEDS = { mole: ["molar", "molar mass"], volume: ["density", "density"] };

function weigh() {
  const basis = form.querySelector("#id_basis").value;
  const rows = [...components.children].map((row) => {
    const chosen = row.querySelector("select").selectedOptions[0];
    return {
      row,
      name: chosen.value ? chosen.text : "",
      percent: numberOf(row, "percent"),
      molar: Number(chosen.dataset.molarMass) || null,
      density: Number(chosen.dataset.density) || null,
    };
  });
  const total = rows.reduce((sum, { percent }) => sum + (percent ?? 0), 0);
  const full = Math.abs(total - 100) <= 0.5;
  const sum = form.querySelector("[data-sum]");
  sum.textContent = `Sum ${number(total)}${NARROW}%${full ? "" : `: it must be 100${NARROW}%`}`;
  sum.className = `sum tabular ${full ? "full" : "off"}`;
  convert(rows.filter(({ name, percent }) => name && percent !== null), basis);
  for (const { row, name, percent } of rows) {
    if (!name || percent === null) row.querySelector("[data-converted]").textContent = "";
  }
}

function convert(rows, basis) {
  const lacking = {};
  for (const [kind, [column]] of Object.entries(NEEDS)) {
    lacking[kind] = rows.filter((row) => row[column] === null).map((row) => row.name);
  }
  const grams = lacking[basis]?.length ? null : rows.map((row) => row.percent / PER_GRAM[basis](row));
  const wanted = ["mass", "mole", "volume"].filter((kind) => kind !== basis);
  const shares = {};
  for (const kind of wanted) {
    const amounts = grams && !lacking[kind]?.length ? grams.map((g, n) => g * PER_GRAM[kind](rows[n])) : null;
    const whole = amounts?.reduce((a, b) => a + b, 0);
    shares[kind] = whole > 0 ? amounts.map((amount) => (100 * amount) / whole) : null;
  }
  rows.forEach(({ row }, n) => {
    row.querySelector("[data-converted]").textContent = wanted
      .filter((kind) => shares[kind])
      .map((kind) => `${kind} ${number(Number(shares[kind][n].toPrecision(4)))}${NARROW}%`)
      .join(" · ");
  });
  form.querySelector("[data-missing]").textContent = Object.entries(NEEDS)
    .filter(([kind]) => lacking[kind].length)
    .map(([kind, [, what]]) => `The ${what} of ${lacking[kind].join(", ")} is not known, so there are no ${kind} fractions.`)
    .join(" ");
}

form.addEventListener("input", say);
form.addEventListener("change", say);
renumber();
