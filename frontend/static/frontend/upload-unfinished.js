// What was begun in this browser and is not finished: it waits for its file to be dropped again.

import { forget, progress, unfinished } from "./tus.js";
import { percent, size } from "./upload-words.js";

const waiting = document.getElementById("unfinished");

/** Except for those whose names are `here`. */
export function showUnfinished(here, csrf) {
  const left = unfinished().filter((each) => !here.has(each.name));
  waiting.hidden = left.length === 0;
  waiting.querySelector("ul").replaceChildren(...left.map((each) => row(each, () => showUnfinished(here, csrf), csrf)));
}

function row(each, again, csrf) {
  const line = document.createElement("li");
  const name = document.createElement("bdi");
  const state = document.createElement("span");
  const drop = document.createElement("button");
  name.textContent = each.name;
  state.className = "second";
  state.textContent = ` ${size(each.size)} `;
  Object.assign(drop, { type: "button", className: "button quiet tiny", textContent: "Forget" });
  drop.addEventListener("click", async () => {
    await forget(each, csrf);
    again();
  });
  line.append(name, state, drop);
  progress(each.url).then(
    (known) => {
      if (known && !known.receipt) state.textContent = ` ${percent(known.offset / known.size)} of ${size(each.size)} `;
      else {
        localStorage.removeItem(each.key);
        again();
      }
    },
    () => {}, // the server does not answer now; the row says what it knows
  );
  return line;
}
