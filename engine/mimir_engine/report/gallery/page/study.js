// One study: its channels, its mark, what was found, and its numbers.
const dialog = byId("study");

function openStudy() {
  if (chosen.length && !dialog.open) dialog.showModal();
  showStudy();
}

function showStudy() {
  const study = chosen[current];
  if (!dialog.open) return;
  const facts = [studies.scanner[study], studies.month[study], `${current + 1} of ${chosen.length}`];
  byId("title").textContent = studies.name[study];
  byId("facts").textContent = facts.filter(Boolean).join(" · ");
  Object.assign(byId("report"), { hidden: !studies.report[study], href: studies.report[study] });
  byId("channels").hidden = !studies.image[study];
  for (const image of all("#channels img")) {
    const { className, alt } = image; // a new one never shows another study
    image.replaceWith(element("img", "", { className, alt, src: studies.image[study] }));
  }
  const measured = data.columns.filter(({ values }) => values[study] !== null);
  byId("notes").replaceChildren(...studies.notes[study].map((note) => element("li", data.notes[note])));
  byId("same").replaceChildren(...studies.same[study].map((number) => waysOf(data.same[number], study)));
  byId("numbers").replaceChildren(...measured.map((column) => numbersOf(column, study)));
  byId("comment").value = markOf(study).comment;
  for (const button of all("#marking button")) button.ariaPressed = button.value === markOf(study).mark;
}

function tableRow(title, cells) {
  const row = element("tr");
  row.append(element("th", title, { scope: "row" }), ...cells);
  return row;
}

function numbersOf(column, study) {
  const interval = column.intervals[study];
  const withLevel = interval && `${interval} (${column.level})`;
  const texts = [inUnit(column, column.values[study]), withLevel, column.source];
  return tableRow(column.label, texts.map((text) => element("td", text)));
}

// What networks, direct measurements and labels say of a quantity, side by side.
function waysOf({ title, roads }, study) {
  const textOf = (number) => {
    const column = data.columns[number];
    const interval = column.intervals[study];
    return inUnit(column, column.values[study]) + (interval ? ` (${interval})` : "");
  };
  return tableRow(title, roads.map(([numbers, about]) =>
    element("td", numbers.map(textOf).filter(Boolean).join("\n"), { title: about })));
}

// Marks the current study; the same mark again takes it away.
function markCurrent(mark) {
  if (!chosen.length) return;
  setMark(chosen[current], { mark: markOf(chosen[current]).mark === mark ? "" : mark });
  redrawSheet();
  showCounts();
}

byId("comment").addEventListener("input", ({ target: { value } }) => setMark(chosen[current], { comment: value }));
dialog.addEventListener("close", () => (redrawSheet(), showCounts(), sheet.focus()));
