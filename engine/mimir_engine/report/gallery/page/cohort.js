// The studies, and which of them are chosen in which order. Everything else listens to changes.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const studies = data.studies;
const count = (studies.name || []).length;
const byId = (id) => document.getElementById(id);

// An element with a text, never with markup: texts come from studies.
function element(kind, text = "", attributes = {}) {
  const made = document.createElement(kind);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// What is chosen: a part of the name, a code, a scanner, months, a mark, and ranges of columns.
const filters = { name: "", code: "", scanner: "", from: "", to: "", mark: "", ranges: new Map() };
const order = { by: "name", direction: 1 };
let chosen = [...Array(count).keys()];
let isChosen = new Uint8Array(count).fill(1);
let current = 0;
const listeners = [];
const onChange = (listener) => listeners.push(listener);

const failed = (study) => studies.failure[study] !== null;
const monthOf = (study) => data.months[studies.month[study]] || "";

function hasCode(study, code) {
  if (code === "measured") return !failed(study);
  if (code === "failed") return failed(study);
  if (code === "warnings") return studies.warnings[study] > 0 && !failed(study);
  if (code === "none") return !failed(study) && studies.warnings[study] === 0;
  if (code === "unusual") return studies.unusual[study];
  const [kind, number] = code.split(":");
  return kind === "failure" ? studies.failure[study] === +number : studies.codes[study].includes(+number);
}

function isIn(study) {
  const { name, code, scanner, from, to, mark } = filters;
  if (name && !studies.name[study].toLowerCase().includes(name)) return false;
  if (code && !hasCode(study, code)) return false;
  if (scanner && studies.scanner[study] !== +scanner) return false;
  if ((from || to) && !monthOf(study)) return false;
  if ((from && monthOf(study) < from) || (to && monthOf(study) > to)) return false;
  if (mark && !hasMark(study, mark)) return false;
  for (const [column, [low, high]] of filters.ranges) {
    const value = data.columns[column].values[study];
    if (value === null || value < low || value > high) return false;
  }
  return true;
}

function keyOf(study) {
  if (order.by === "name") return studies.name[study];
  if (order.by === "warnings") return studies.warnings[study];
  if (order.by === "month") return monthOf(study) || null;
  if (order.by === "scanner") return data.scanners[studies.scanner[study]] || null;
  if (order.by === "mark") return markOf(study).mark || null;
  return data.columns[+order.by].values[study];
}

// Chooses studies anew, sorts them, and tells everybody. What has no value comes last.
function choose() {
  const at = chosen[current];
  chosen = [...Array(count).keys()].filter(isIn);
  const keys = new Map(chosen.map((study) => [study, keyOf(study)]));
  chosen.sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if (one === other) return a - b;
    if (one === null || other === null) return one === null ? 1 : -1;
    return (one < other ? -1 : 1) * order.direction;
  });
  isChosen = new Uint8Array(count);
  for (const study of chosen) isChosen[study] = 1;
  current = Math.max(0, chosen.indexOf(at));
  for (const listener of listeners) listener();
}

const withUnit = (text, unit) => (unit && text ? `${text} ${unit}` : text);
function shown(column, value) {
  return value === null || value === undefined ? "" : value.toFixed(column.decimals);
}
