// Batches: a dropped folder, zip or manifest becomes a batch; files follow one by one, with progress.

const API = "/api/v1/batches/";
const AT_ONCE = 2;
const begin = document.querySelector("[data-batch-begin]");
const zone = begin ?? document.querySelector("[data-batch]");
const csrf = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
const table = /\.(csv|tsv|txt|xlsx)$/i;

/** Everything that was dropped, folders unfolded; each with the name that it has in there. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  for (const entry of entries) await unfold(entry, "", found);
  return found;
}

async function unfold(entry, folder, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, name: folder + file.name });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A folder answers in portions, and with none when it is told.
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!portion.length) return;
    for (const inside of portion) await unfold(inside, `${folder}${entry.name}/`, found);
  }
}

/** The table called manifest; else the only table; else the only zip. */
function manifestAmong(files) {
  const tables = files.filter(({ name }) => table.test(name));
  const called = tables.filter(({ name }) => /manifest[^/]*$/i.test(name));
  if (called.length === 1) return called[0];
  if (files.length === 1) return files[0];
  const sheets = tables.filter(({ name }) => /\.(csv|xlsx)$/i.test(name));
  return sheets.length === 1 ? sheets[0] : null;
}

const sending = zone?.querySelector("[data-sending]");

function say(words, share = null) {
  sending.hidden = false;
  sending.querySelector("[data-said]").textContent = words;
  const bar = sending.querySelector("progress");
  bar.hidden = share === null;
  if (share !== null) bar.value = share;
}

/** Resolves with the answer; rejects with a sentence. */
function post(url, form, onProgress = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrf);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      let body = {};
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // A proxy answered; the status says enough.
      }
      if (request.status < 300) resolve(body);
      else reject(new Error(body.error?.message ?? `The server answered ${request.status}.`));
    };
    request.onerror = () => reject(new Error("The server did not answer. Nothing is lost; try again."));
    request.send(form);
  });
}

async function sendAll(id, files) {
  const total = files.reduce((sum, { file }) => sum + file.size, 0) || 1;
  const sent = new Map();
  let done = 0;
  const refused = [];
  const told = () => {
    const bytes = [...sent.values()].reduce((sum, each) => sum + each, 0);
    say(`${done} of ${files.length} files are safe`, Math.min(1, bytes / total));
  };
  const waiting = [...files];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { file, name } = next;
      const form = new FormData();
      form.append("file", file, name);
      try {
        await post(`${API}${id}/files/`, form, (loaded) => {
          sent.set(name, loaded);
          told();
        });
        done += 1;
      } catch (error) {
        refused.push(`${name}: ${error.message}`);
      }
      told();
    }
  };
  told();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return refused;
}

async function start(files) {
  const manifest = manifestAmong(files);
  if (!manifest) {
    say("Which of them is the manifest? Call it manifest.csv, or choose it on its own.");
    return;
  }
  say(`${manifest.name} is being checked`);
  try {
    const form = new FormData();
    form.append("project", begin.elements.project.value);
    form.append("manifest", manifest.file, manifest.name.split("/").pop());
    const { id } = await post(API, form);
    await finish(id, files.filter((each) => each !== manifest));
  } catch (error) {
    say(error.message);
  }
}

async function finish(id, files) {
  const refused = files.length ? await sendAll(id, files) : [];
  if (refused.length) {
    say(`${refused.length} not stored. ${refused.slice(0, 3).join(" ")} Drop them again.`);
    return;
  }
  location.assign(`/batches/${id}/`);
}

const taken = (files) => {
  if (!files.length) return;
  if (begin) start(files);
  else finish(zone.dataset.batch, files);
};
const named = (list) => [...list].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

if (zone && csrf) {
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    zone.classList.remove("over");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    event.stopPropagation();
    document.querySelector(".drop-veil")?.remove();
    taken(await dropped(event.dataTransfer));
  });
  zone.addEventListener("submit", (event) => {
    const chosen = [...zone.querySelectorAll("input[type=file]")].flatMap((input) => named(input.files));
    if (!chosen.length) return; // the server says what is missing
    event.preventDefault();
    const manifest = begin?.elements.manifest.files[0];
    if (manifest) {
      startWith(manifest, chosen);
    } else {
      taken(chosen);
    }
  });
  document.getElementById("more-files")?.addEventListener("change", (event) => taken(named(event.target.files)));
}

function startWith(manifest, chosen) {
  const others = chosen.filter(({ file }) => file !== manifest);
  say(`${manifest.name} is being checked`);
  const form = new FormData();
  form.append("project", begin.elements.project.value);
  form.append("manifest", manifest, manifest.name);
  post(API, form).then(
    ({ id }) => finish(id, others),
    (error) => say(error.message),
  );
}
