// Files that are one measurement: the box that says so, before or after they were chosen, and the hint that they might be.

import { alone, together } from "./folders.js";
import { takesSeveral } from "./upload-roles.js";

const box = document.getElementById("as-one");
const hint = document.getElementById("together");
document.getElementById("make-one")?.addEventListener("click", () => box.click());

/** Single files become one measurement where the box is ticked; folders are that anyway. */
export function asOne(groups) {
  const single = groups.filter((group) => !group.folder);
  if (!box?.checked || single.length < 2) return groups;
  return [...groups.filter((group) => group.folder), together(single.map(({ parts: [{ file }] }) => file))];
}

/** The box was clicked later: what waits is put together, or apart again; sample and technique are kept. */
export function regrouped(queue, add) {
  const moved = queue.filter((item) => item.state === "waiting" && (box.checked ? !item.group.folder : item.group.chosen));
  if (moved.length < (box.checked ? 2 : 1)) return;
  const { sample, technique } = moved[0].said;
  const files = moved.flatMap((item) => item.group.parts.map(({ file }) => file));
  for (const item of moved) item.remove();
  const groups = box.checked ? [together(files)] : files.map(alone);
  add(groups);
  for (const item of queue.slice(-groups.length)) {
    item.part("sample").value = sample;
    item.part("technique").value = technique;
    item.roles.offer(technique);
  }
  suggest(queue);
}

/** Several single files of a technique whose methods take several: most likely they belong together. */
export function suggest(queue) {
  if (!hint) return;
  const single = queue.filter((item) => item.state === "waiting" && !item.group.folder && takesSeveral(item.part("technique").value));
  hint.hidden = single.length < 2;
  hint.querySelector("[data-count]").textContent = single.length;
}
