// The inbox by keyboard: one row after the other, Enter accepts what is suggested.

const form = document.getElementById("inbox");
const REMEMBERED = "inbox-row";
const rows = () => [...(form?.querySelectorAll("tr[data-waiting]") ?? [])];
const typing = (element) => element.matches("input:not([type=checkbox]), select, textarea, [contenteditable]");

function current() {
  return rows().findIndex((row) => row.contains(document.activeElement));
}

/** The button that Enter presses; where there is none, the file itself. */
function stand(at) {
  const all = rows();
  const row = all[Math.min(all.length - 1, Math.max(0, at))];
  (row?.querySelector("[data-accept]") ?? row?.querySelector("[data-open]"))?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

const keys = {
  j: () => stand(current() + 1),
  ArrowDown: () => stand(current() + 1),
  k: () => stand(current() - 1),
  ArrowUp: () => stand(current() - 1),
  x: () => {
    const box = rows()[current()]?.querySelector("input[name=measurement]");
    if (box) box.checked = !box.checked;
  },
  o: () => rows()[current()]?.querySelector("[data-open]")?.click(),
  e: () => rows()[current()]?.querySelector("input[data-row]")?.select(),
};

document.addEventListener("keydown", (event) => {
  if (!form || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.dataset?.void && event.key === "Enter") {
    event.preventDefault();
    form.requestSubmit(form.querySelector(`button[name=void][value="${event.target.dataset.void}"]`));
    return;
  }
  if (typing(event.target)) {
    // Up and down leave a code's field, but not a list that is open.
    if (event.target.matches("input[data-row]") && event.key === "Escape") stand(current());
    return;
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Enter in any other field must not press the first button of the form, which assigns.
form?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.id === "for-all-reason") {
    event.preventDefault();
    form.requestSubmit(form.querySelector("button[name=void][value=ticked]"));
  }
});

// A code that only resembles is taken over by hand: it fills the field and waits for Enter.
document.addEventListener("click", (event) => {
  const use = event.target.closest("[data-use]");
  if (!use) return;
  const field = form.querySelector(`input[name="sample-${use.dataset.for}"]`);
  field.value = use.dataset.use;
  field.focus();
});

// After a decision the next row stands where the last one stood.
form?.addEventListener("submit", () => sessionStorage.setItem(REMEMBERED, String(Math.max(0, current()))));
const before = sessionStorage.getItem(REMEMBERED);
if (before !== null) {
  sessionStorage.removeItem(REMEMBERED);
  stand(Number(before));
}
