// Upload: one row a file. It says when the bytes are safe (with their hash), when they are read, and the first value.

import { take } from "./dropped.js";

const API = "/api/v1";
const rows = document.getElementById("rows");
const table = document.getElementById("queue");
const send = document.getElementById("send");
const picker = document.getElementById("files");
const zone = document.querySelector("[data-drop]");
const template = document.getElementById("row");
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
const everyone = { sample: document.getElementById("all-sample"), technique: document.getElementById("all-technique") };
const AT_ONCE = 3;
const PATIENCE_MS = 120000;
const queue = [];

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let step = 0;
  let amount = bytes;
  while (amount >= 1000 && step < units.length - 1) {
    amount /= 1000;
    step += 1;
  }
  return `${Number(amount.toPrecision(3))}\u202f${units[step]}`;
}

/** A file and its row. */
class Item {
  constructor(file) {
    this.file = file;
    this.row = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.row.querySelector(`[data-part=${name}]`);
    this.part("name").textContent = file.name;
    this.part("size").textContent = size(file.size);
    this.part("sample").value = everyone.sample.value;
    this.part("technique").value = everyone.technique.value;
    this.part("sample").setAttribute("aria-label", `Sample of ${file.name}`);
    this.part("technique").setAttribute("aria-label", `Technique of ${file.name}`);
    this.part("remove").addEventListener("click", () => this.remove());
    this.state = "waiting";
    this.say("waiting", "");
    rows.append(this.row);
    if (!this.part("sample").value) this.guess();
  }

  /** A sample whose code begins the file's name. */
  async guess() {
    const word = /^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+/.exec(this.file.name)?.[0];
    if (!word) return;
    const answer = await fetch(`${API}/samples/?${new URLSearchParams({ code: word })}`).catch(() => null);
    if (!answer?.ok) return;
    const { results } = await answer.json();
    const field = this.part("sample");
    if (results.length === 1 && !field.value && this.state === "waiting") field.value = results[0].code;
  }

  remove() {
    this.request?.abort();
    queue.splice(queue.indexOf(this), 1);
    this.row.remove();
    count();
  }

  say(words, tone, more = "") {
    const state = this.part("state");
    state.className = `state ${tone}`;
    state.textContent = words;
    this.part("more").replaceChildren(...[more].flat().filter(Boolean));
  }

  link(words) {
    const link = document.createElement("a");
    link.href = `/measurements/${this.receipt.id}/`;
    link.textContent = words;
    return link;
  }

  send() {
    this.state = "sending";
    for (const name of ["sample", "technique", "remove"]) this.part(name).disabled = true;
    const form = new FormData();
    if (this.part("sample").value.trim()) form.append("sample", this.part("sample").value.trim());
    if (this.part("technique").value) form.append("technique", this.part("technique").value);
    const project = document.getElementById("project")?.value;
    if (project) form.append("project", project);
    form.append("file", this.file, this.file.name);
    const progress = this.part("progress");
    progress.hidden = false;
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open("POST", `${API}/measurements/`);
      request.setRequestHeader("X-CSRFToken", csrf);
      request.setRequestHeader("Accept", "application/json");
      request.upload.onprogress = (event) => {
        progress.value = event.total ? event.loaded / event.total : 0;
        this.say(event.loaded < event.total ? `${Math.floor(100 * progress.value)}\u202f%` : "being written", "busy");
      };
      request.onload = () => resolve(this.sent(request));
      request.onerror = () => resolve(this.refused("The server did not answer. The file is still here; try again."));
      request.onabort = () => resolve();
      request.send(form);
    });
  }

  sent(request) {
    this.part("progress").hidden = true;
    let body = {};
    try {
      body = JSON.parse(request.responseText);
    } catch {
      // A proxy or a login page answered; the status says enough.
    }
    if (request.status !== 200 && request.status !== 201) {
      const sentence = body.error?.message ?? `The server answered ${request.status}.`;
      this.refused(request.status === 403 && !body.error ? "You were logged out. Log in and send it again." : sentence);
      return;
    }
    this.receipt = body;
    this.state = "safe";
    const hash = document.createElement("code");
    hash.textContent = `${body.files[0].sha256.slice(0, 12)}…`;
    hash.title = `sha256 ${body.files[0].sha256}`;
    this.hash = hash;
    this.warnings = body.warnings ?? [];
    if (body.technique && body.technique !== "unknown") this.part("technique").value = body.technique;
    this.say(request.status === 200 ? "safe, was here before" : "safe", "good", [hash]);
    this.follow();
  }

  refused(sentence) {
    this.state = "refused";
    this.say("not stored", "bad", sentence);
    const again = document.createElement("button");
    again.type = "button";
    again.className = "button tiny";
    again.textContent = "Try again";
    again.addEventListener("click", () => {
      this.state = "waiting";
      pump();
    });
    this.part("more").append(" ", again);
    for (const name of ["sample", "technique", "remove"]) this.part(name).disabled = false;
  }

  /** From safe to read to the first value, or to the sentence why not. */
  async follow() {
    const until = Date.now() + PATIENCE_MS;
    let pause = 300;
    while (Date.now() < until) {
      await wait(pause);
      pause = Math.min(pause * 1.4, 3000);
      const measurement = await ask(`${API}/measurements/${this.receipt.id}/`);
      if (!measurement || measurement.status === "received") continue;
      if (measurement.status === "failed") {
        this.say("safe, could not be read", "caution", [this.hash, ` ${measurement.error} `, this.link("Open")]);
        return;
      }
      if (this.state !== "read") {
        this.state = "read";
        this.told("read");
      }
      if (await this.valued(measurement)) return;
    }
    this.told("safe; the worker has not come to it yet");
  }

  told(words, tone = "good", extra = []) {
    this.say(words, tone, [this.hash, ...extra, ...this.warnings.map((text) => ` ${text}`), " ", this.link("Open")]);
  }

  async valued(measurement) {
    const found = await ask(`${API}/values/?${new URLSearchParams({ measurement: measurement.id, current: "true" })}`);
    const first = found?.results.findLast((value) => value.property in words) ?? found?.results.at(-1);
    if (first) {
      this.told(`read · ${written(first)}`);
      return true;
    }
    if (!measurement.runs.length) {
      this.told("read");
      return Boolean(measurement.technique === "unknown" || Date.now() - this.readAt > 6000 || !(this.readAt ??= Date.now()));
    }
    const runs = await Promise.all(measurement.runs.map((id) => ask(`${API}/runs/${id}/`)));
    const over = runs.every((run) => run && ["done", "failed", "cancelled"].includes(run.status));
    if (over && runs.every((run) => run.status !== "done")) {
      this.told("read, no result", "caution", [` ${runs.map((run) => run.message).find(Boolean) ?? ""}`]);
      return true;
    }
    return false;
  }
}

const words = { pl_peak_center: "PL peak", plqy: "PLQY" };

function written({ property, component, value, sigma, unit }) {
  const label = [words[property] ?? property.replaceAll("_", " "), component].filter(Boolean).join(" ");
  const scale = unit === "1" ? "" : `\u202f${unit}`;
  if (!sigma) return `${label} ${Number(value.toPrecision(5))}${scale}`;
  const digits = Math.max(0, 1 - Math.floor(Math.log10(sigma)));
  return `${label} ${value.toFixed(digits)} ± ${sigma.toFixed(digits)}${scale}`.replaceAll("-", "−");
}

async function ask(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function count() {
  const waiting = queue.filter((item) => item.state === "waiting").length;
  table.hidden = queue.length === 0;
  send.disabled = waiting === 0;
  send.textContent = waiting > 1 ? `Upload ${waiting} files` : "Upload";
}

function add(files) {
  for (const file of files) queue.push(new Item(file));
  count();
  if (files.length) send.focus({ preventScroll: true });
}

let running = 0;
function pump() {
  while (running < AT_ONCE) {
    const next = queue.find((item) => item.state === "waiting");
    if (!next) break;
    running += 1;
    next.send().finally(() => {
      running -= 1;
      pump();
    });
  }
  count();
}

picker.addEventListener("change", () => {
  add([...picker.files]);
  picker.value = "";
});
send.addEventListener("click", pump);
for (const [name, field] of Object.entries(everyone)) {
  field.addEventListener("change", () => {
    for (const item of queue) if (item.state === "waiting") item.part(name).value = field.value;
  });
}
zone.addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("over");
});
zone.addEventListener("dragleave", () => zone.classList.remove("over"));
document.addEventListener(
  "drop",
  (event) => {
    zone.classList.remove("over");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    event.stopPropagation();
    document.querySelector(".drop-veil")?.remove();
    add([...event.dataTransfer.files]);
  },
  true,
);
addEventListener("beforeunload", (event) => {
  if (queue.some((item) => item.state === "sending")) event.preventDefault();
});

if (new URLSearchParams(location.search).has("dropped")) {
  take().then(
    (files) => add(files),
    () => {}, // private windows keep nothing: the person drops again
  );
}
count();
