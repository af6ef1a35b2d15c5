// Upload: one row a file or folder. It says when the bytes are safe (with their hash), when they are read, and the first value.

import { take } from "./dropped.js";
import { alone, gathered } from "./folders.js";
import { Refused, Stopped, Transfer, fingerprint, progress, unfinished } from "./tus.js";
import { FolderTransfer } from "./upload-folder.js";
import { Roles } from "./upload-roles.js";
import { asOne, regrouped, suggest } from "./upload-together.js";
import { showUnfinished } from "./upload-unfinished.js";
import { ask, percent, size, wait, words, written } from "./upload-words.js";

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

/** What becomes one measurement, and its row. */
class Item {
  constructor(group) {
    this.group = group;
    this.bytes = group.parts.reduce((sum, { file }) => sum + file.size, 0);
    this.row = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.row.querySelector(`[data-part=${name}]`);
    this.part("name").textContent = group.name;
    this.part("size").textContent = group.folder ? `${group.parts.length} files, ${size(this.bytes)}` : size(this.bytes);
    this.part("sample").value = everyone.sample.value;
    this.part("technique").value = everyone.technique.value;
    this.part("sample").setAttribute("aria-label", `Sample of ${group.name}`);
    this.part("technique").setAttribute("aria-label", `Technique of ${group.name}`);
    this.part("remove").addEventListener("click", () => this.remove());
    this.part("pause").addEventListener("click", () => (this.state === "sending" ? this.pause() : this.resume()));
    this.part("sample").addEventListener("change", () => this.change("sample"));
    this.part("technique").addEventListener("change", () => this.change("technique"));
    this.roles = new Roles(group.parts, this.part("roles"));
    this.part("technique").addEventListener("change", () => this.receipt || this.roles.offer(this.part("technique").value));
    this.roles.offer(this.part("technique").value);
    this.state = "waiting";
    this.say("waiting", "");
    rows.append(this.row);
    this.recall().then((known) => known || this.part("sample").value || this.guess());
  }

  /** An earlier attempt of this browser with the same file: its sample and technique, and how far it came. */
  async recall() {
    const [first] = this.group.parts;
    const key = this.group.folder || !first ? null : await fingerprint(first.path, first.file).catch(() => null);
    const earlier = key && unfinished().find((each) => each.key === key);
    const known = earlier && (await progress(earlier.url).catch(() => null));
    if (!known || this.state !== "waiting") return false;
    this.part("sample").value = earlier.said.sample;
    this.part("technique").value = earlier.said.technique;
    this.say("waiting", "", `${percent(known.offset / known.size)} of it is here already.`);
    list();
    return true;
  }

  /** A sample whose code begins the name. */
  async guess() {
    const word = /^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+/.exec(this.group.name)?.[0];
    if (!word) return;
    const answer = await fetch(`${API}/samples/?${new URLSearchParams({ code: word })}`).catch(() => null);
    if (!answer?.ok) return;
    const { results } = await answer.json();
    const field = this.part("sample");
    if (results.length === 1 && !field.value && this.state === "waiting") field.value = results[0].code;
  }

  remove() {
    this.transfer?.forget();
    this.state = "removed";
    queue.splice(queue.indexOf(this), 1);
    this.row.remove();
    count();
    list();
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

  get said() {
    return {
      sample: this.part("sample").value.trim(),
      technique: this.part("technique").value,
      project: document.getElementById("project")?.value ?? "",
    };
  }

  lock(locked) {
    for (const name of ["sample", "technique"]) this.part(name).disabled = locked;
    this.roles.lock(locked);
  }

  async send() {
    this.state = "sending";
    this.lock(true);
    const bar = this.part("progress");
    const onprogress = (fraction) => {
      bar.value = fraction;
      if (this.state === "sending") this.say(fraction < 1 ? percent(fraction) : "being written", "busy");
    };
    bar.hidden = false;
    const { folder, parts } = this.group;
    this.transfer ??= folder ? new FolderTransfer(parts, this.said, csrf, onprogress) : new Transfer(parts[0], this.said, csrf, onprogress);
    const pause = this.part("pause");
    pause.hidden = !this.transfer.canPause;
    pause.textContent = "Pause";
    this.part("remove").textContent = "Cancel";
    try {
      this.sent(await this.transfer.run());
    } catch (error) {
      if (!(error instanceof Stopped)) this.refused(error instanceof Refused ? error.message : `${error.message}.`);
      if (!(error instanceof Stopped || error instanceof Refused)) throw error;
    }
  }

  pause() {
    this.state = "paused";
    this.transfer.stop();
    this.part("pause").textContent = "Resume";
    this.say(`paused at ${percent(this.part("progress").value)}`, "caution");
    count();
  }

  resume() {
    this.state = "waiting";
    this.say("waiting", "");
    pump();
  }

  sent(receipt) {
    this.part("progress").hidden = true;
    this.part("pause").hidden = true;
    this.part("remove").hidden = true;
    this.receipt = receipt;
    this.state = "safe";
    const [{ sha256 }] = receipt.files;
    const hash = document.createElement("code");
    hash.textContent = `${sha256.slice(0, 12)}…`;
    hash.title = this.group.folder
      ? receipt.files.map((file) => `${file.filename}: sha256 ${file.sha256}`).join("\n")
      : `sha256 ${sha256}`;
    this.hash = hash;
    this.warnings = receipt.warnings ?? [];
    if (receipt.technique !== "unknown") this.part("technique").value = receipt.technique;
    if (receipt.sample) this.part("sample").value = receipt.sample;
    this.part("technique").disabled = false;
    this.part("sample").disabled = Boolean(receipt.sample);
    this.say(receipt.status === "received" ? "safe" : "safe, was here before", "good", [hash]);
    list();
    this.follow();
  }

  /** Said too late for the upload: told to the measurement. */
  async change(name) {
    const value = this.part(name).value.trim();
    if (!this.receipt || !value) return;
    const answer = await fetch(`${API}/measurements/${this.receipt.id}/`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
      body: JSON.stringify({ [name]: value }),
    }).catch(() => null);
    const body = await answer?.json().catch(() => null);
    if (answer?.ok) {
      this.warnings = [];
      if (name === "sample") this.part("sample").disabled = true;
      this.follow();
    } else this.told("safe", "caution", [` ${body?.error?.message ?? "The server did not answer."}`]);
  }

  refused(sentence) {
    this.state = "refused";
    this.transfer = null;
    this.part("pause").hidden = true;
    this.part("progress").hidden = true;
    this.part("remove").textContent = "Remove";
    this.say("not stored", "bad", sentence);
    const again = document.createElement("button");
    again.type = "button";
    again.className = "button tiny";
    again.textContent = "Try again";
    again.addEventListener("click", () => this.resume());
    this.part("more").append(" ", again);
    this.lock(false);
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
      const technique = this.part("technique");
      if (measurement.technique !== "unknown" && document.activeElement !== technique) technique.value = measurement.technique;
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
    // Runs before values: of those that are over by now, every value is there.
    const runs = await Promise.all(measurement.runs.map((id) => ask(`${API}/runs/${id}/`)));
    const found = await ask(`${API}/values/?${new URLSearchParams({ measurement: measurement.id, current: "true" })}`);
    const wanted = found?.results.findLast((value) => value.property in words);
    const first = wanted ?? found?.results.at(-1);
    if (first) this.told(`read · ${written(first)}`);
    if (wanted) return true;
    if (!runs.length) {
      if (!first) this.told("read");
      return Boolean(measurement.technique === "unknown" || Date.now() - this.readAt > 6000 || !(this.readAt ??= Date.now()));
    }
    if (!runs.every((run) => run && ["done", "failed", "cancelled"].includes(run.status))) return false;
    // Another method may just have been asked, and have what one would rather hear of.
    const now = await ask(`${API}/measurements/${measurement.id}/`);
    if (now?.runs.length !== runs.length) return false;
    if (first) return true;
    if (runs.some((run) => run.status === "done")) return false;
    this.told("read, no result", "caution", [` ${runs.map((run) => run.message).find(Boolean) ?? ""}`]);
    return true;
  }
}

function count() {
  const left = queue.filter((item) => item.state === "waiting").length;
  table.hidden = queue.length === 0;
  send.disabled = left === 0;
  send.textContent = left > 1 ? `Upload ${left}` : "Upload";
  suggest(queue);
}

function add(groups) {
  for (const group of groups) if (group.parts.length) queue.push(new Item(group));
  count();
  if (groups.length) send.focus({ preventScroll: true });
}

/** What waits for its file, apart from what is in the queue. */
const list = () => showUnfinished(new Set(queue.map((item) => item.group.name)), csrf);

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

function picked() {
  add(asOne([...picker.files].map(alone)));
  picker.value = "";
}
picker.addEventListener("change", picked);
send.addEventListener("click", pump);
document.getElementById("as-one").addEventListener("change", () => regrouped(queue, add));
rows.addEventListener("change", () => suggest(queue));
for (const [name, field] of Object.entries(everyone)) {
  field.addEventListener("change", () => {
    for (const item of queue) {
      if (item.state !== "waiting") continue;
      item.part(name).value = field.value;
      if (name === "technique") item.roles.offer(field.value);
    }
    suggest(queue);
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
    gathered(event.dataTransfer).then((groups) => add(asOne(groups)));
  },
  true,
);
addEventListener("beforeunload", (event) => {
  if (queue.some((item) => item.state === "sending")) event.preventDefault();
});

if (new URLSearchParams(location.search).has("dropped")) {
  take().then(
    add,
    () => {}, // private windows keep nothing: the person drops again
  );
}
count();
list();
if (picker.files.length) picked(); // chosen before this script had come
