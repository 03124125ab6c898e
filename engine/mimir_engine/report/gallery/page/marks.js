// Marks and comments: kept in the browser where it allows that, saved as CSV, and loaded again.
const SIGNS = { good: "✓", bad: "✕", "look again": "↻" };
const FIELDS = ["study", "mark", "comment"];
const storeName = `mimir-gallery-${data.key}`;
const numbers = new Map(studies.name.map((name, study) => [name.normalize("NFC"), study]));
const marks = new Map();
let isUnsaved = false;
// As in MIMIR's tables: a quote before what a spreadsheet takes for a formula, or for such a quote.
const escapeFormulae = new RegExp(`^'?[${data.formula_starts}]|^''`);
const plain = (text) => (text[0] === "'" && escapeFormulae.test(text) ? text.slice(1) : text);

const markOf = (study) => marks.get(study) || { mark: "", comment: "" };
const hasMark = (study, kind) => kind === "comment"
  ? markOf(study).comment !== "" : markOf(study).mark === (kind === "none" ? "" : kind);

function setMark(study, changes) {
  marks.set(study, { ...markOf(study), ...changes });
  if (!markOf(study).mark && !markOf(study).comment) marks.delete(study);
  isUnsaved = true;
  store();
}

function marksAsCsv() {
  const rows = [...marks].map(([study, { mark, comment }]) => [studies.name[study], mark, comment]);
  return Papa.unparse({ fields: FIELDS, data: rows }, { escapeFormulae, newline: "\n" });
}

// Takes the marks of a CSV text; returns how many there are, or what is wrong.
function takeMarks(text) {
  const [head, ...rows] = Papa.parse(text, { skipEmptyLines: true }).data;
  if (`${head}` !== `${FIELDS}`) return `not a file of marks: its first line must be ${FIELDS}`;
  const named = rows.map(([name, ...rest]) => [numbers.get(plain(name).normalize("NFC")), ...rest]);
  const known = named.filter(([study, mark]) =>
    study !== undefined && (mark === "" || Object.hasOwn(SIGNS, mark)));
  for (const [study, mark, comment = ""] of known) marks.set(study, { mark, comment: plain(comment) });
  return `${known.length} marks loaded, ${rows.length - known.length} not of this page`;
}

function saveMarks() {
  const href = URL.createObjectURL(new Blob([marksAsCsv()], { type: "text/csv" }));
  element("a", "", { download: "marks.csv", href }).click();
  isUnsaved = false;
}

function store() {
  try {
    localStorage.setItem(storeName, marksAsCsv());
  } catch {} // without storage the file remains, and leaving the page asks
}

try {
  takeMarks(localStorage.getItem(storeName) || `${FIELDS}`);
} catch {} // the browser allows no storage for pages in files
addEventListener("beforeunload", (event) => isUnsaved && event.preventDefault());
