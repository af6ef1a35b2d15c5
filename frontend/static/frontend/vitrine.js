// The frame's behaviour. Every page works without it; with it, the keyboard reaches everything.

import { keep } from "./dropped.js";
import { gathered } from "./folders.js";

const YEAR_S = 31536000;
const root = document.documentElement;
const remember = (name, value) => {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
};

// The server writes times in the reader's zone; it learns the browser's zone from this cookie.
remember("time_zone", Intl.DateTimeFormat().resolvedOptions().timeZone);

/** A colour token as the page shows it now: token("ink") → "rgb(21, 32, 43)". */
export function token(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  root.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

// Theme: follows the system unless the person chose. Figures listen for "vitrine:theme" and redraw.

function showTheme() {
  const chosen = root.dataset.theme || "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
  }
}

function chooseTheme(choice) {
  if (choice === "system") delete root.dataset.theme;
  else root.dataset.theme = choice;
  remember("theme", choice);
  showTheme();
  document.dispatchEvent(new CustomEvent("vitrine:theme"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
  document.dispatchEvent(new CustomEvent("vitrine:theme")),
);
showTheme();

// Keys

const typing = (element) => element.matches("input, select, textarea, [contenteditable]");
const keys = document.getElementById("keys");
let leader = -Infinity; // when g was pressed

function rows() {
  return [...document.querySelectorAll("[data-rows] tr[data-href], [data-rows] li[data-href]")];
}

function moveRow(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? 0 : now + step))];
  next.querySelector("a")?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function go(letter) {
  const target = document.querySelector(`[data-key="g ${letter}"]`);
  if (target) location.assign(target.href);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (typing(event.target)) event.target.blur();
    return;
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.timeStamp - leader < 1200 && /^[a-z]$/.test(event.key)) {
    leader = -Infinity;
    go(event.key);
    return;
  }
  const search = document.getElementById("search");
  const act = {
    "/": () => search?.focus(),
    "?": () => keys?.showModal(),
    g: () => (leader = event.timeStamp),
    u: () => document.querySelector('[data-key="u"]')?.click(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Clicks

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const theme = event.target.closest("[data-theme-choice]");
  if (theme) chooseTheme(theme.dataset.themeChoice);
  if (event.target.closest("[data-keys]")) keys?.showModal();
  if (event.target.closest("[data-dismiss]")) event.target.closest(".notice").remove();
  if (event.target === keys || event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  const copied = event.target.closest("[data-copy]");
  if (copied) copy(copied);
});

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const word = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = word), 1500);
}

// Filters send themselves when they change; without this script they have a button.

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-live]");
  if (form) form.requestSubmit();
});

// Destructive acts ask once and name what is affected.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

// An address holds only what was chosen: empty fields are left out of it.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  for (const field of event.target.elements) {
    if (field.name && field.value === "") field.disabled = true;
  }
});
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[method=get] :disabled")) field.disabled = false;
});

// Drop anywhere: the upload page takes over. A page's own drop zone ([data-drop]) comes first.

const bar = document.querySelector("[data-upload]");
let veil = null;
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

function unveil() {
  veil?.remove();
  veil = null;
}

if (bar) {
  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event) || veil || event.target.closest?.("[data-drop]")) return;
    const sample = document.querySelector("main")?.dataset.sample;
    veil = document.createElement("div");
    veil.className = "drop-veil";
    veil.textContent = sample ? `Drop to upload to ${sample}` : "Drop to upload";
    document.body.append(veil);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) unveil();
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", async (event) => {
    unveil();
    if (!carriesFiles(event) || event.defaultPrevented || event.target.closest?.("[data-drop]")) return;
    event.preventDefault();
    await keep(await gathered(event.dataTransfer));
    const address = new URL(bar.href);
    const sample = document.querySelector("main")?.dataset.sample;
    if (sample) address.searchParams.set("sample", sample);
    address.searchParams.set("dropped", "1");
    location.assign(address);
  });
}
