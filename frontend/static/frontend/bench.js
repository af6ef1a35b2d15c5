// The run sheet at the bench: what is typed survives a reload, differences from the plan are said while one
// types, and the numbers beside it follow.

const bench = document.querySelector("[data-bench]");
const kept = `bench-${bench.dataset.bench}-`;
const MINUS = "−";
const WAIT_MS = 200;

const fields = (form) =>
  [...form.elements].filter((field) => field.name && !["hidden", "file", "submit"].includes(field.type));

// Drafts: kept on this tablet until the server has recorded something newer.

for (const form of bench.querySelectorAll("form[data-draft]")) {
  const key = kept + form.dataset.draft;
  const draft = read(key);
  if (draft && draft.version === form.dataset.version) {
    for (const field of fields(form)) {
      if (!(field.name in draft.values)) continue;
      if (field.type === "checkbox") field.checked = draft.values[field.name];
      else field.value = draft.values[field.name];
    }
    form.closest("details")?.setAttribute("open", "");
  } else if (draft) {
    localStorage.removeItem(key);
  }
  form.addEventListener("input", () => {
    const values = {};
    for (const field of fields(form)) {
      values[field.name] = field.type === "checkbox" ? field.checked : field.value;
    }
    localStorage.setItem(key, JSON.stringify({ version: form.dataset.version, values }));
  });
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

// The balance stays the same from one boat to the next.
const SIGMA = "bench-balance-sigma";
for (const field of bench.querySelectorAll('[data-keep="sigma"]')) {
  if (!field.value) field.value = localStorage.getItem(SIGMA) ?? "";
  field.addEventListener("change", () => localStorage.setItem(SIGMA, field.value));
}

// Differences from the plan

function number(text) {
  const plain = text.trim().replace(",", ".").replace(MINUS, "-");
  return plain === "" ? null : Number(plain);
}

function compare(field) {
  const said = field.closest(".asked, .cell")?.querySelector(".differs");
  if (!said) return;
  const planned = number(field.dataset.planned ?? "");
  const actual = number(field.value);
  said.classList.remove("none");
  if (planned === null || actual === null || Number.isNaN(planned)) {
    said.textContent = "";
  } else if (Number.isNaN(actual)) {
    said.textContent = "not a number";
  } else {
    const difference = Number((actual - planned).toPrecision(6));
    said.classList.toggle("none", difference === 0);
    said.textContent =
      difference === 0 ? "as planned" : `${difference > 0 ? "+" : MINUS}${Math.abs(difference)}`;
  }
}

const compared = [...bench.querySelectorAll('input[data-planned][inputmode="decimal"]')];
compared.forEach(compare);

for (const button of bench.querySelectorAll("[data-as-planned]")) {
  button.addEventListener("click", () => {
    for (const field of button.form.querySelectorAll("[data-planned]")) {
      if (field.value === "") field.value = field.dataset.planned;
      compare(field);
    }
    button.form.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// The numbers beside it come from the server, which has the molar masses.

let timer = 0;
let asked = 0;

async function follow() {
  const query = new URLSearchParams();
  for (const form of bench.querySelectorAll("form[data-draft]")) {
    for (const field of fields(form)) {
      if (field.value === "" || field.inputMode !== "decimal") continue;
      query.set(field.dataset.number ?? `${form.dataset.draft}-${field.name}`, field.value);
    }
  }
  const mine = ++asked;
  const answer = await fetch(`${bench.dataset.numbers}?${query}`, { headers: { Accept: "text/html" } });
  if (answer.ok && mine === asked) document.getElementById("numbers").innerHTML = await answer.text();
}

bench.addEventListener("input", (event) => {
  if (event.target.matches("[data-planned]")) compare(event.target);
  clearTimeout(timer);
  timer = setTimeout(() => follow().catch(() => {}), WAIT_MS);
});
if (compared.some((field) => field.value !== "")) follow().catch(() => {});
