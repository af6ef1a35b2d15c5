// Files to the server: small ones in one request, large ones in pieces (tus 1.0) that survive a pause, a broken
// line and a reload of the page. What is on its way stands in localStorage, under what the file looks like.

const UPLOADS = "/api/v1/uploads/";
const TUS = { "Tus-Resumable": "1.0.0" };
const SMALL_BYTES = 4 * 1024 * 1024;
const PIECE_BYTES = 32 * 1024 * 1024;
const LOOKED_AT_BYTES = 64 * 1024;
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15000];
const SHELF = "vitrine-upload:";

/** The server, or the line to it, said no; the sentence is for the person. */
export class Refused extends Error {}
/** The person said stop. */
export class Stopped extends Error {}
class Interrupted extends Error {}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What tells a file from others, without reading all of it: name, size, time, and its first and last bytes. */
export async function fingerprint(path, file) {
  const ends = [file.slice(0, LOOKED_AT_BYTES), file.slice(-LOOKED_AT_BYTES)];
  let hash = 0x811c9dc5; // FNV-1a; only to tell files apart: what arrives is checked by its SHA-256
  for (const end of ends) {
    for (const byte of new Uint8Array(await end.arrayBuffer())) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return `${SHELF}${path}:${file.size}:${file.lastModified}:${hash.toString(16)}`;
}

/** What this browser began and has not finished: [{key, url, name, size, said}]. */
export function unfinished() {
  const found = [];
  for (let i = 0; i < localStorage.length; i += 1) {
    const key = localStorage.key(i);
    if (key.startsWith(SHELF)) found.push({ key, ...read(key) });
  }
  return found.filter((each) => each.url);
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A private window may keep nothing: then only a reload makes the file begin anew.
  }
}

/** End an upload that nobody goes on with. */
export async function forget({ key, url }, csrf) {
  localStorage.removeItem(key);
  await fetch(url, { method: "DELETE", headers: { ...TUS, "X-CSRFToken": csrf } }).catch(() => null);
}

/** How far the server is: {offset, size, receipt}, or null when it does not know the upload any more. */
export async function progress(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer || answer.status >= 500) throw new Interrupted();
  return answer.ok ? answer.json() : null;
}

export class Transfer {
  /** `said`: sample, technique, project; `onprogress(fraction)` hears of bytes that have left this machine. */
  constructor(part, said, csrf, onprogress) {
    Object.assign(this, { ...part, said, csrf, onprogress });
    this.stopped = false;
  }

  /** The receipt; throws Refused with a sentence, or Stopped. */
  async run() {
    this.stopped = false;
    return this.file.size > SMALL_BYTES ? this.inPieces() : this.atOnce();
  }

  /** Pause: `run()` goes on from here. */
  stop() {
    this.stopped = true;
    this.request?.abort();
  }

  async forget() {
    this.stop();
    if (this.url) await forget(this, this.csrf);
  }

  get canPause() {
    return this.file.size > SMALL_BYTES;
  }

  async atOnce() {
    const query = new URLSearchParams(Object.entries(this.said).filter(([, value]) => value));
    const name = this.path.split("/").map(encodeURIComponent).join("/");
    const { body } = await this.patiently(() => this.send("PUT", `${UPLOADS}${name}?${query}`, {}, this.file, 0));
    return body;
  }

  async inPieces() {
    this.key = await fingerprint(this.path, this.file);
    let offset = await this.begin();
    while (offset < this.file.size) {
      const from = offset;
      offset = await this.patiently(
        async () => {
          const headers = { ...TUS, "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" };
          const piece = this.file.slice(offset, offset + PIECE_BYTES);
          return Number((await this.send("PATCH", this.url, headers, piece, offset)).offset);
        },
        async () => {
          const now = await progress(this.url);
          if (!now) throw new Refused("The server has forgotten what was here of this file. Send it anew.");
          offset = now.offset;
        },
      );
      if (!(offset > from)) throw new Refused("The server took nothing more. Try again in a moment.");
    }
    const done = await this.patiently(() => progress(this.url));
    if (!done?.receipt) throw new Refused("Every byte is here, but the server has not answered for them. Try again.");
    localStorage.removeItem(this.key);
    return done.receipt;
  }

  /** Where to begin: at nothing, or where an earlier attempt with the same words ended. */
  async begin() {
    const earlier = read(this.key);
    if (earlier.url && JSON.stringify(earlier.said) === JSON.stringify(this.said)) {
      const known = await this.patiently(() => progress(earlier.url));
      if (known && known.size === this.file.size) {
        this.url = earlier.url;
        return known.offset;
      }
    } else if (earlier.url) {
      await forget({ key: this.key, url: earlier.url }, this.csrf);
    }
    const said = { filename: this.path, ...this.said };
    const metadata = Object.entries(said)
      .filter(([, value]) => value)
      .map(([key, value]) => `${key} ${base64(value)}`);
    const headers = { ...TUS, "Upload-Length": this.file.size, "Upload-Metadata": metadata.join(",") };
    const { location: address } = await this.patiently(() => this.send("POST", UPLOADS, headers, null, 0));
    this.url = new URL(address, location.href).pathname;
    keep(this.key, { url: this.url, name: this.path, size: this.file.size, said: this.said });
    return 0;
  }

  /** Try again as long as time can heal it; `before` each further attempt finds out where things stand. */
  async patiently(attempt, before = async () => {}) {
    for (let failures = 0; ; failures += 1) {
      if (this.stopped) throw new Stopped();
      try {
        if (failures) await before();
        return await attempt();
      } catch (error) {
        if (this.stopped) throw new Stopped();
        if (!(error instanceof Interrupted)) throw error;
        if (failures >= WAITS_MS.length) {
          throw new Refused(error.message || "The server did not answer. What has arrived stays there; try again.");
        }
        await pause(WAITS_MS[failures]);
      }
    }
  }

  send(method, url, headers, body, offset) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open(method, url);
      const all = { ...headers, Accept: "application/json", "X-CSRFToken": this.csrf };
      for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => this.onprogress((offset + event.loaded) / (this.file.size || 1));
      request.onerror = () => reject(new Interrupted());
      request.onabort = () => reject(new Stopped());
      request.onload = () => {
        const { status } = request;
        if (status >= 200 && status < 300) {
          const [offset, location] = ["Upload-Offset", "Location"].map((name) => request.getResponseHeader(name));
          resolve({ body: parsed(request), offset, location });
        } else if ([409, 423, 502, 503, 504].includes(status)) {
          // Another piece is still on its way, or the server is just starting.
          reject(new Interrupted(parsed(request).error?.message));
        } else reject(new Refused(sentence(request)));
      };
      request.send(body);
    });
  }
}

export function parsed(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {}; // a proxy or a login page answered; the status says enough
  }
}

export function sentence(request) {
  const said = parsed(request).error?.message;
  if (said) return said;
  return request.status === 403 || request.status === 401
    ? "You were logged out. Log in and send it again."
    : `The server answered ${request.status}.`;
}

function base64(text) {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}
