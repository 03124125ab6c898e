// The controls: filters, order, views, keys.
"use strict";
let view = "sheet";
const VIEWS = { sheet: () => redrawSheet(), scatter: drawScatter, distributions: drawDistributions };

function fill(id, options) {
  byId(id).replaceChildren(...options.map(([value, text]) => element("option", text, { value })));
}

function counted(codes, kind, used) {
  const numbers = new Array(codes.length).fill(0);
  for (const found of used) for (const code of [found].flat()) if (code !== null) numbers[code] += 1;
  return codes.map(([code, sentence], n) => [`${kind}:${n}`, `${code} (${numbers[n]})`, sentence]);
}

function fillControls() {
  const sorted = (texts) => texts.map((text, n) => [n, text || "unknown"]).sort((a, b) => (a[1] < b[1] ? -1 : 1));
  const months = data.months.filter(Boolean).sort().map((month) => [month, month]);
  const columns = data.columns.map((column, n) => [n, `${column.label}${column.module && ` · ${column.module}`}`]);
  const states = [["", "all"], ["measured", "measured"], ["failed", "failed"], ["warnings", "with warnings"], ["none", "without warnings"], ["unusual", "unlike known scans"]];
  fill("code", [...states, ...counted(data.codes, "code", studies.codes || []), ...counted(data.failures, "failure", studies.failure || [])]);
  fill("scanner", [["", "all"], ...sorted(data.scanners)]);
  fill("from", [["", "first"], ...months]);
  fill("to", [["", "last"], ...months]);
  fill("mark", [["", "all"], ["none", "without a mark"], ["good", "✓ good"], ["bad", "✕ bad"], ["look again", "↻ look again"], ["comment", "✎ with a comment"]]);
  for (const id of ["column", "x", "y"]) fill(id, columns);
  fill("order", [["name", "name"], ["warnings", "number of warnings"], ["month", "month"], ["scanner", "scanner"], ["mark", "mark"], ...columns]);
  fill("pair", data.pairs.map(([, y], n) => [n, titled(data.columns[y])]));
  byId("pair").parentElement.hidden = !data.pairs.length;
  [byId("x").value, byId("y").value] = data.pairs[0] || [0, Math.min(1, columns.length - 1)];
  const [first, ...others] = data.sentences;
  byId("about").firstElementChild.textContent = first;
  byId("about").append(...others.map((sentence) => element("p", sentence)), element("p", `Measured by ${data.made_by}.`));
}

function showCounts(note = "") {
  const failures = (studies.failure || []).filter((code) => code !== null).length;
  const parts = [`${chosen.length} of ${count} studies chosen`, `${failures} failed`, `${data.excluded} excluded`, `${marks.size} marked`];
  byId("counts").textContent = [...parts, note].filter(Boolean).join(" · ");
}

function setRange(column, low, high) {
  filters.ranges.set(column, [low, high]);
  choose();
}

function showRanges() {
  byId("ranges").replaceChildren(...[...filters.ranges].map(([number, [low, high]]) => {
    const column = data.columns[number];
    const text = `${column.label}: ${withUnit(`${shown(column, low)} to ${shown(column, high)}`, column.unit)}`;
    const button = element("button", `${text} ✕`, { type: "button", title: "Choose all values again" });
    button.addEventListener("click", () => (filters.ranges.delete(number), choose()));
    const item = element("li");
    item.append(button);
    return item;
  }));
}

function show(name) {
  view = name;
  for (const id of Object.keys(VIEWS)) byId(id).hidden = id !== view;
  for (const tab of document.querySelectorAll("[data-view]")) tab.setAttribute("aria-selected", tab.dataset.view === view);
  VIEWS[view]();
}

const drawAll = () => (drawHistogram(), VIEWS[view]());
onChange(() => (showCounts(), showRanges(), (sheet.scrollTop = 0), drawAll(), go(current)));

byId("filters").addEventListener("input", ({ target }) => {
  if (target.id === "column") return drawHistogram();
  if (target.id === "order") order.by = target.value;
  else if (target.id === "direction") order.direction = +target.value;
  else filters[target.id] = target.id === "name" ? target.value.toLowerCase() : target.value;
  choose();
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", () => {
  Object.assign(filters, { name: "", code: "", scanner: "", from: "", to: "", mark: "" });
  Object.assign(order, { by: "name", direction: 1 });
  filters.ranges.clear();
  setTimeout(choose);
});
for (const tab of document.querySelectorAll("[data-view]")) tab.addEventListener("click", () => show(tab.dataset.view));
for (const id of ["x", "y"]) byId(id).addEventListener("input", drawScatter);
byId("pair").addEventListener("input", ({ target }) => (([byId("x").value, byId("y").value] = data.pairs[+target.value]), drawScatter()));
byId("save").addEventListener("click", saveMarks);
byId("load").addEventListener("change", async ({ target }) => {
  const note = await loadMarks(target.files[0]);
  choose();
  showCounts(note);
  target.value = "";
});
byId("keys").addEventListener("click", () => byId("help").showModal());
byId("before").addEventListener("click", () => (go(current - 1), showStudy()));
byId("after").addEventListener("click", () => (go(current + 1), showStudy()));

const STEPS = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -perRow(), ArrowDown: () => perRow(), Home: () => -count, End: () => count };
const MARKED_BY = { g: "good", b: "bad", l: "look again" };
addEventListener("keydown", (event) => {
  const { key, target } = event;
  const types = target.matches("select, textarea, input:not([type=file])");
  if (event.ctrlKey || event.altKey || event.metaKey || types || byId("help").open) return;
  if (STEPS[key] && (view === "sheet" || studyDialog.open)) go(current + STEPS[key]());
  else if (MARKED_BY[key]) markCurrent(MARKED_BY[key]);
  else if (key === "Enter" && target === sheet) openStudy();
  else if (key === "c") (openStudy(), byId("comment").focus());
  else if (key === "?") byId("help").showModal();
  else return;
  event.preventDefault();
  if (studyDialog.open && STEPS[key]) showStudy();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
addEventListener("resize", () => soon(drawAll));

document.querySelectorAll("#fraction feComponentTransfer > *").forEach((part, channel) => {
  part.setAttribute("tableValues", data.fraction_colours.map((anchor) => (anchor[channel] / 255).toFixed(4)).join(" "));
});

// Where water and fat are darker than air, the alpha is 0.
byId("body").setAttribute("values", `0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  255 255 0 0 ${1 - data.air}`);
fillControls();
show("sheet");
choose();
sheet.focus();
