// What each file of one measurement is, where the methods of its technique know roles. The server fills in what nobody says.

const known = JSON.parse(document.getElementById("roles")?.textContent ?? "{}");
const MOST_FILES = 24;

/** Whether a method of this technique takes several files, such as the three spectra of a sphere. */
export const takesSeveral = (technique) => (known[technique] ?? []).length > 1;

/** A select a file in `host`; which choices depends on the technique. It writes `role` into the parts. */
export class Roles {
  constructor(parts, host) {
    this.parts = parts;
    this.host = host;
  }

  offer(technique) {
    const choices = this.parts.length > 1 && this.parts.length <= MOST_FILES ? (known[technique] ?? []) : [];
    this.host.hidden = choices.length === 0;
    this.host.replaceChildren(...(choices.length ? this.parts.map((part) => this.line(part, choices)) : []));
    if (!choices.length) for (const part of this.parts) delete part.role;
  }

  line(part, choices) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.append(new Option("as its name says", ""));
    for (const { key, words, help } of choices) {
      const option = new Option(words, key, false, part.role === key);
      option.title = help;
      select.append(option);
    }
    part.role = select.value;
    select.addEventListener("change", () => (part.role = select.value));
    label.append(select, ` ${part.path.split("/").pop()}`);
    return label;
  }

  lock(locked) {
    for (const select of this.host.querySelectorAll("select")) select.disabled = locked;
  }
}
