// One study: its channels, marks, what was found, and its numbers.
"use strict";
const studyDialog = byId("study");

function openStudy() {
  if (!chosen.length) return;
  showStudy();
  if (!studyDialog.open) studyDialog.showModal();
}

function showStudy() {
  const study = chosen[current];
  byId("title").replaceChildren(element("bdi", studies.name[study]));
  const facts = [data.scanners[studies.scanner[study]], monthOf(study), `${current + 1} of ${chosen.length}`];
  byId("facts").textContent = facts.filter(Boolean).join(" · ");
  if (studies.report[study]) byId("facts").append(" · ", element("a", "report", { href: studies.report[study], target: "_blank", rel: "noopener" }));
  byId("channels").hidden = !studies.image[study];
  for (const figure of byId("channels").children) {
    const image = figure.firstElementChild.cloneNode(); // a new one never shows another study
    image.removeAttribute("src");
    if (studies.image[study]) image.src = studies.image[study];
    figure.firstElementChild.replaceWith(image);
  }
  byId("notes").replaceChildren(...studies.notes[study].map((note) => element("li", data.notes[note])));
  byId("numbers").replaceChildren(...data.columns.filter(({ values }) => values[study] !== null).map((column) => numbersOf(column, study)));
  byId("comment").value = markOf(study).comment;
  showMark();
}

function numbersOf(column, study) {
  const row = element("tr");
  const bounds = [column.lower[study], column.upper[study]];
  const interval = typeof bounds[0] === "number" ? `${shown(column, bounds[0])} to ${shown(column, bounds[1])} (${column.interval})` : "";
  row.append(element("th", column.label, { scope: "row" }), element("td", withUnit(shown(column, column.values[study]), column.unit)));
  row.append(element("td", interval), element("td", column.module || (column.group === "Scan" ? "" : "none: direct")));
  return row;
}

function showMark() {
  const { mark } = markOf(chosen[current]);
  for (const button of document.querySelectorAll("[data-mark]")) button.setAttribute("aria-pressed", button.dataset.mark === mark);
}

// Marks the current study, here and on its card.
function markCurrent(mark) {
  if (!chosen.length) return;
  toggleMark(chosen[current], mark);
  showMark();
  redrawSheet();
  showCounts();
}

byId("comment").addEventListener("input", ({ target }) => setMark(chosen[current], { comment: target.value.replace(/\s+/g, " ") }));
studyDialog.addEventListener("close", () => (redrawSheet(), showCounts(), sheet.focus()));
for (const button of document.querySelectorAll("[data-mark]")) button.addEventListener("click", () => markCurrent(button.dataset.mark));
