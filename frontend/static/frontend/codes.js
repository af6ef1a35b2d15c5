// Sample codes as one types them, and Enter that means this row.

const fields = "[data-codes]";
let asking = null;
let timer = 0;

async function suggest(field) {
  const list = document.getElementById(field.getAttribute("list"));
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams({ search: field.value, page_size: 12 });
  try {
    const answer = await fetch(`/api/v1/samples/?${query}`, { signal: asking.signal });
    if (!answer.ok) return;
    const { results } = await answer.json();
    list.replaceChildren(
      ...results.map((sample) => {
        const option = document.createElement("option");
        option.value = sample.code;
        option.label = sample.notation || sample.code;
        return option;
      }),
    );
  } catch (error) {
    if (error.name !== "AbortError") console.warn(error.message);
  }
}

document.addEventListener("input", (event) => {
  if (!event.target.matches?.(fields) || event.target.value.length < 2) return;
  clearTimeout(timer);
  timer = setTimeout(() => suggest(event.target), 180);
});

document.addEventListener("keydown", (event) => {
  const row = event.target.dataset?.row;
  if (event.key !== "Enter" || !row || !event.target.form) return;
  event.preventDefault();
  event.target.form.requestSubmit(event.target.form.querySelector(`button[name=only][value="${row}"]`));
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-tick-all]")) return;
  for (const box of event.target.form.querySelectorAll("input[name=measurement]")) box.checked = event.target.checked;
});
