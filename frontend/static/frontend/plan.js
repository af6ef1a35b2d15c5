// The plan form: rows come and go; the sum of the mass fractions and the furnace programme follow the typing.

import { draw, minutes, possible, programmeMin } from "./programme.js";

const plan = document.querySelector("[data-plan]");

for (const section of plan.querySelectorAll("[data-rows-of]")) {
  const prefix = section.dataset.rowsOf;
  const total = section.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
  const holder = section.querySelector(".grid-rows");
  const blank = section.querySelector("template");

  section.querySelector("[data-add]").addEventListener("click", () => {
    const made = document.createElement("template");
    made.innerHTML = blank.innerHTML.replaceAll("__prefix__", total.value);
    holder.append(made.content);
    total.value = Number(total.value) + 1;
    holder.lastElementChild.querySelector("input, select").focus();
    follow();
  });

  // A removed row is emptied, not taken out: the server counts rows by their numbers.
  section.addEventListener("click", (event) => {
    const row = event.target.closest("[data-remove]")?.closest("[data-row]");
    if (!row) return;
    for (const field of row.querySelectorAll("input, select")) field.value = "";
    row.hidden = true;
    follow();
  });
}

function addUp() {
  const sum = plan.querySelector("[data-sum]");
  const percents = [...plan.querySelectorAll('[name^="component-"][name$="-percent"]')].map((field) =>
    Number(field.value.replace(",", ".") || 0),
  );
  const total = percents.reduce((a, b) => a + b, 0);
  const full = Math.abs(total - 100) < 1e-4;
  sum.textContent = `Sum ${Number(total.toPrecision(8))}\u202f%${full ? "" : ": it must be 100\u202f%"}`;
  sum.className = `sum tabular ${full ? "full" : "off"}`;
}

function drawProgramme() {
  const numberOf = (row, name) => {
    const typed = row.querySelector(`[name$="-${name}"]`).value;
    return typed === "" ? null : Number(typed);
  };
  const sinters = plan.querySelector('[name="sinter"]').checked;
  const segments = [...plan.querySelectorAll("[data-rows-of=segment] [data-row]")]
    .map((row) => ({
      target_c: numberOf(row, "target_c"),
      ramp_c_per_min: numberOf(row, "ramp_c_per_min"),
      hold_min: numberOf(row, "hold_min"),
    }))
    .filter((segment) => sinters && possible(segment));
  const quench = plan.querySelector('[name="quench"]');
  const rate = Number(plan.querySelector('[name="rate_c_per_min"]').value);
  plan.querySelector("[data-programme]").innerHTML = draw(
    segments,
    quench.value ? { label: quench.selectedOptions[0].text, rate_c_per_min: rate > 0 ? rate : null } : null,
  );
  const total = programmeMin(segments);
  plan.querySelector("[data-programme-said]").textContent = total === null ? "" : `${minutes(total)} from 25\u202f°C`;
}

function follow() {
  addUp();
  drawProgramme();
}

// Who writes into a step means to do it.
for (const step of plan.querySelectorAll("[data-optional]")) {
  const done = step.querySelector("input[type=checkbox]");
  step.addEventListener("input", (event) => {
    if (event.target !== done && event.target.value !== "") done.checked = true;
  });
}

plan.addEventListener("input", follow);
follow();
