// What was dropped or chosen, as groups: a file is a group of its own, a folder with all below it is one measurement.

const LITTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

/** `chosen`: put together by a person, not by a folder.
 *  @returns {{name: string, folder: boolean, chosen?: boolean, parts: {path: string, file: File}[]}} */
export function alone(file) {
  return { name: file.name, folder: false, parts: [{ path: file.name, file }] };
}

/** Files that a person says are one measurement. */
export function together(files) {
  const parts = files.map((file) => ({ path: file.name, file }));
  return { name: `${parts[0].path} and ${parts.length - 1} more`, folder: true, chosen: true, parts };
}

/** The groups of a drop. Call it in the event's own turn: its items are gone afterwards. */
export function gathered(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const found = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  return Promise.all(found.map(({ entry, file }) => (entry?.isDirectory ? folder(entry) : alone(file))));
}

async function folder(entry) {
  const parts = await below(entry);
  parts.sort((one, other) => (one.path < other.path ? -1 : 1));
  return { name: `${entry.name}/`, folder: true, parts };
}

async function below(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return LITTER.has(file.name) ? [] : [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const parts = await Promise.all((await entries(entry.createReader())).map(below));
  return parts.flat();
}

/** A reader gives a hundred at a time, and none when it is done. */
async function entries(reader) {
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
