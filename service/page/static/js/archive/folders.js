// Files that were chosen or dropped, with the folders that they lie in.

/** What is in folders and is no image: hidden files, and the index of a DICOM medium. */
const LEFT_OUT = /^(\..*|DICOMDIR|Thumbs\.db|desktop\.ini)$/i;

/** Files of an input, each with the `path` below the folder that was chosen. */
export function chosenFiles(files) {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(isWanted);
}

/**
 * Files that were dropped, those of folders and the folders below them too.
 *
 * What was dropped is asked for at once: it is gone once the event is over.
 */
export function droppedFiles({ items, files }) {
  const entries = [...(items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return Promise.resolve(chosenFiles(files));
  return Promise.all(entries.map((entry) => filesOf(entry, ""))).then((found) => found.flat().filter(isWanted));
}

async function filesOf(entry, folder) {
  const path = `${folder}${entry.name}`;
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path }];
  const found = [];
  for (const inside of await entriesOf(entry.createReader())) found.push(...(await filesOf(inside, `${path}/`)));
  return found;
}

/** A reader gives a part of a folder at a time, and nothing at its end. */
async function entriesOf(reader) {
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return entries;
    entries.push(...some);
  }
}

const isWanted = ({ file }) => !LEFT_OUT.test(file.name);
