// A folder as one form: its files are one measurement, and their names say where they lay in it.

import { Refused, Stopped, parsed, sentence } from "./tus.js";
import { size } from "./upload-words.js";

const MOST_PARTS = 900;
const MOST_BYTES = 1e9;

export class FolderTransfer {
  canPause = false;

  constructor(parts, said, csrf, onprogress) {
    Object.assign(this, { parts, said, csrf, onprogress });
  }

  run() {
    const bytes = this.parts.reduce((sum, { file }) => sum + file.size, 0);
    if (this.parts.length > MOST_PARTS || bytes > MOST_BYTES) {
      throw new Refused(`A folder of up to ${MOST_PARTS} files and ${size(MOST_BYTES)} is taken as it is. Zip this one and drop the archive.`);
    }
    const form = new FormData();
    for (const [name, value] of Object.entries(this.said)) if (value) form.append(name, value);
    const told = this.parts.some(({ role }) => role);
    for (const { path, file, role } of this.parts) {
      form.append("file", file, path);
      if (told) form.append("role", role ?? "");
    }
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open("POST", "/api/v1/measurements/");
      request.setRequestHeader("X-CSRFToken", this.csrf);
      request.setRequestHeader("Accept", "application/json");
      request.upload.onprogress = (event) => this.onprogress(event.total ? event.loaded / event.total : 0);
      request.onerror = () => reject(new Refused("The server did not answer. The files are still here; try again."));
      request.onabort = () => reject(new Stopped());
      request.onload = () => (request.status < 300 ? resolve(parsed(request)) : reject(new Refused(sentence(request))));
      request.send(form);
    });
  }

  async forget() {
    this.request?.abort();
  }
}
