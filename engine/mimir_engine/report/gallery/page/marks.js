// Marks and comments: kept in the browser where it allows that, saved as CSV, and loaded again.
"use strict";
const SIGNS = { good: "✓", bad: "✕", "look again": "↻" };
const storeName = `mimir-gallery-${data.key}`;
const numberOf = new Map((studies.name || []).map((name, study) => [name.normalize("NFC"), study]));
let marks = new Map(restored());
let unsaved = false;

const markOf = (study) => marks.get(study) || { mark: "", comment: "" };
function hasMark(study, mark) {
  const found = markOf(study);
  return mark === "none" ? !found.mark : mark === "comment" ? found.comment !== "" : found.mark === mark;
}

function restored() {
  try {
    const stored = JSON.parse(localStorage.getItem(storeName) || "[]");
    return valid(stored);
  } catch {
    return []; // the browser allows no storage, or another program wrote it
  }
}

function valid(rows) {
  const known = rows.filter(([name, mark]) => numberOf.has(String(name).normalize("NFC")) && (Object.hasOwn(SIGNS, mark) || mark === ""));
  return known.map(([name, mark, comment]) => [numberOf.get(String(name).normalize("NFC")), { mark, comment: String(comment || "").slice(0, 2000) }]);
}

const rows = () => [...marks].map(([study, { mark, comment }]) => [studies.name[study], mark, comment]);

function setMark(study, changes) {
  const changed = { ...markOf(study), ...changes };
  if (changed.mark || changed.comment) marks.set(study, changed);
  else marks.delete(study);
  unsaved = true;
  store();
}

function store() {
  try {
    localStorage.setItem(storeName, JSON.stringify(rows()));
  } catch {
    // Saving as CSV remains, and leaving the page asks.
  }
}

const toggleMark = (study, mark) => setMark(study, { mark: markOf(study).mark === mark ? "" : mark });

// As MIMIR's tables: a quote before what a spreadsheet takes for a formula, or for such a quote.
const looksEscaped = (text) => text[0] === "'" && [...data.formula_starts, "'"].includes(text[1]);
const escaped = (text) => (data.formula_starts.includes(text[0]) || looksEscaped(text) ? `'${text}` : text);
const cell = (text) => `"${escaped(text).replaceAll('"', '""')}"`;

function marksAsCsv() {
  const lines = rows().map((row) => row.map(cell).join(","));
  return ["study,mark,comment", ...lines, ""].join("\n");
}

function saveMarks() {
  const link = element("a", "", { download: "marks.csv" });
  link.href = URL.createObjectURL(new Blob([marksAsCsv()], { type: "text/csv" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  unsaved = false;
}

// Cells of a CSV text, row by row.
function parsed(text) {
  const table = [[""]];
  const separator = text.match(/[,;\t]/)?.[0] || ",";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const [letter, row] = [text[at], table[table.length - 1]];
    if (letter === '"' && quoted && text[at + 1] === '"') row[row.length - 1] += text[++at];
    else if (letter === '"') quoted = !quoted;
    else if (letter === separator && !quoted) row.push("");
    else if (letter === "\n" && !quoted) table.push([""]);
    else if (letter !== "\r" || quoted) row[row.length - 1] += letter;
  }
  return table.map((row) => row.map((text) => (looksEscaped(text) ? text.slice(1) : text)));
}

async function loadMarks(file) {
  const [head, ...body] = parsed((await file.text()).replace(/^\ufeff/, ""));
  if (head.join() !== "study,mark,comment") return "This is not a file of marks: its first line must be study,mark,comment.";
  const found = valid(body);
  marks = new Map([...marks, ...found]);
  store();
  const unknown = body.filter((row) => row.length > 1).length - found.length;
  return unknown ? `${found.length} marks loaded; ${unknown} belong to no study of this page.` : `${found.length} marks loaded.`;
}

addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
