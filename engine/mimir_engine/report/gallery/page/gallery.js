// The controls: filters, order, views, keys.
const VIEWS = { sheet: () => go(current), scatter: drawScatter, distributions: drawDistributions };
const form = byId("controls");

function fillControls() {
  for (const [name, options] of Object.entries(data.options)) {
    const option = (value, text, isFirst) => new Option(text, value, isFirst, isFirst);
    form.elements[name].append(...options.map((both) => option(...both, both[0] === data.first[name])));
  }
  byId("about").textContent = data.about;
}

function showCounts(...notes) {
  const counts = [`${chosen.length} of ${everyStudy.length} studies chosen`, data.counts, `${marks.size} marked`];
  byId("counts").textContent = [...counts, ...notes].join(" · ");
}

function showRanges() {
  byId("ranges").replaceChildren(...[...ranges].map(([number, [low, high]]) => {
    const column = data.columns[number];
    const text = `${column.label}: ${low.toFixed(column.decimals)} to ${inUnit(column, high)} ✕`;
    const button = element("button", text, { type: "button", title: "Choose all values again" });
    button.addEventListener("click", () => (ranges.delete(number), update()));
    return button;
  }));
}

// Reads the controls, chooses, and draws everything that shows.
function update() {
  wanted = Object.fromEntries(new FormData(form));
  choose();
  for (const name of Object.keys(VIEWS)) byId(name).hidden = name !== wanted.view;
  showCounts();
  showRanges();
  if (data.columns.length) drawHistogram();
  if (data.columns.length || wanted.view === "sheet") VIEWS[wanted.view]();
}

// What keys do; buttons name the key that they stand for.
const KEYS = {
  ArrowLeft: () => go(current - 1),
  ArrowRight: () => go(current + 1),
  ArrowUp: () => go(current - perRow),
  ArrowDown: () => go(current + perRow),
  Home: () => go(0),
  End: () => go(chosen.length - 1),
  g: () => markCurrent("good"),
  b: () => markCurrent("bad"),
  l: () => markCurrent("look again"),
  c: () => (openStudy(), byId("comment").focus()),
  a: () => (form.reset(), ranges.clear(), update()),
  s: saveMarks,
  "?": () => byId("help").showModal(),
};
addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isTyping = target.matches("select, input") || byId("help").open;
  if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  if (key === "Enter" && target === sheet) openStudy();
  else if (!Object.hasOwn(KEYS, key)) return;
  else (KEYS[key](), showStudy());
  event.preventDefault();
});
for (const button of all("[data-key]"))
  button.addEventListener("click", () => (KEYS[button.dataset.key](), showStudy()));

addEventListener("input", ({ target }) => {
  if (target.name === "pair")
    [form.elements.x.value, form.elements.y.value] = data.pairs[target.value];
  if (target.form === form) update();
  if (target.value === "sheet") sheet.focus();
});
byId("load").addEventListener("change", async ({ target }) => {
  const note = takeMarks(await target.files[0].text());
  target.value = "";
  store();
  update();
  showCounts(note);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
addEventListener("resize", update);
fillControls();
update();
sheet.focus();
