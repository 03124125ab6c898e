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

function intervalOf(column, study) {
  const bounds = [column.lower[study], column.upper[study]].filter(Number.isFinite);
  return bounds.map((bound) => bound.toFixed(column.decimals)).join(" to ");
}

function numbersOf(column, study) {
  const interval = intervalOf(column, study);
  const madeBy = column.module || column.group.toLowerCase();
  const cells = [inUnit(column, column.values[study]), interval && `${interval} (${column.interval})`, madeBy];
  const row = element("tr");
  row.append(element("th", column.label, { scope: "row" }), ...cells.map((text) => element("td", text)));
  return row;
}

// What networks, direct measurements and labels say of a quantity, side by side.
function waysOf({ title, roads }, study) {
  const row = element("tr");
  const text = (column) => {
    const interval = intervalOf(column, study);
    return inUnit(column, column.values[study]) + (interval && ` (${interval})`);
  };
  const cells = roads.map(([numbers, about]) => {
    const known = numbers.map((number) => data.columns[number]).filter(({ values }) => values[study] !== null);
    return element("td", known.map(text).join("\n"), { title: about });
  });
  row.append(element("th", title, { scope: "row" }), ...cells);
  return row;
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
