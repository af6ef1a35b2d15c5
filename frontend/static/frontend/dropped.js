// Files dropped on any page wait here for the upload page: IndexedDB can carry File objects across a navigation.
// They are kept as the groups of folders.js.

const NAME = "vitrine";
const STORE = "dropped";

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
  });
}

/** Keep the groups for the page that opens next. */
export async function keep(groups) {
  const database = await open();
  const transaction = database.transaction(STORE, "readwrite");
  for (const group of groups) transaction.objectStore(STORE).add(group);
  await finished(transaction);
  database.close();
}

/** The groups that were dropped on the page before, once. */
export async function take() {
  const database = await open();
  const transaction = database.transaction(STORE, "readwrite");
  const request = transaction.objectStore(STORE).getAll();
  transaction.objectStore(STORE).clear();
  await finished(transaction);
  database.close();
  return request.result;
}
