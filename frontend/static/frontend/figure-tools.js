// The row of words above a figure: its table, its numbers, its pictures, its call.

import { picture } from "./figure-picture.js";

/** An element in one call; true and false switch an attribute, undefined leaves it out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Everything that can be taken from a figure, in words. */
export function tools(figure) {
  const button = (words, act, title) => {
    const made = element("button", { type: "button", class: "button quiet tiny", title }, words);
    made.addEventListener("click", act);
    return made;
  };
  figure.tableButton = button("Table", () => figure.toggleTable(), "The numbers behind the figure (t)");
  figure.tableButton.setAttribute("aria-expanded", "false");
  figure.call = element("button", { type: "button", "data-copy": "" }, "Copy the API call");
  const sheet = element(
    "div",
    { class: "sheet" },
    button("SVG, 85 mm wide", () => picture(figure, "svg", 85)),
    button("SVG, 170 mm wide", () => picture(figure, "svg", 170)),
    button("PNG, twice the pixels", () => picture(figure, "png")),
    element("hr"),
    figure.call,
  );
  const more = element(
    "details",
    { class: "menu right" },
    element("summary", { class: "button quiet tiny" }, "Save"),
    sheet,
  );
  sheet.addEventListener("click", () => (more.open = false));
  return element(
    "div",
    { class: "figure-tools", hidden: true },
    figure.tableButton,
    button("CSV", () => figure.saveCsv(), "Exactly what is drawn"),
    button("SVG", () => picture(figure, "svg", 170), "170 mm wide, light, for print"),
    more,
  );
}
