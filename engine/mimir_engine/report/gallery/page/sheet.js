// The contact sheet: only the cards in view exist, each made anew, so no picture is another study's.
const CARD = { width: 124, height: 184 }; // with the gap; gallery.css has the rest
const MARGIN_ROWS = 2; // above and below what is in view
const [sheet, cards, inView] = [byId("sheet"), byId("cards"), new Map()]; // cards in view by place
let perRow = 1; // cards; measured once for each drawing, since measuring lays out the page
const rowOf = (place) => Math.floor(place / perRow);

function card(place) {
  const study = chosen[place];
  const { mark, comment } = markOf(study);
  const title = studies.name[study].slice(0, 300);
  const signs = [studies.signs[study], comment && "✎", SIGNS[mark]].filter(Boolean).join(" ");
  const spoken = [title, studies.failure[study], signs, mark].filter(Boolean).join(", ");
  const aria = { role: "option", ariaLabel: spoken, ariaSelected: place === current };
  const made = element("div", "", { className: "card", id: `card-${place}`, ...aria });
  const column = data.columns[wanted.order];
  const sorting = column ? inUnit(column, column.values[study]) : studies.month[study];
  const [x, y] = [(place % perRow) * CARD.width, rowOf(place) * CARD.height];
  made.style.transform = `translate(${x}px, ${y}px)`;
  made.append(picture(study), element("bdi", title, { className: "name", title }));
  made.append(element("span", sorting), element("span", signs, { className: "signs" }));
  made.addEventListener("click", () => (go(place), openStudy()));
  return made;
}

const picture = (study, failure = studies.failure[study]) => studies.thumbnail[study]
  ? element("img", "", { src: studies.thumbnail[study], alt: "" })
  : element("div", failure || "no image", { className: failure ? "picture failed" : "picture" });

function drawSheet() {
  perRow = Math.max(1, Math.floor(cards.clientWidth / CARD.width));
  cards.style.height = `${Math.ceil(chosen.length / perRow) * CARD.height}px`;
  const top = Math.floor(sheet.scrollTop / CARD.height) - MARGIN_ROWS;
  const bottom = Math.ceil((sheet.scrollTop + sheet.clientHeight) / CARD.height) + MARGIN_ROWS;
  const [first, last] = [Math.max(0, top * perRow), Math.min(chosen.length, bottom * perRow)];
  for (const [place, made] of inView)
    if (place < first || place >= last) (made.remove(), inView.delete(place));
  for (let place = first; place < last; place++)
    if (!inView.has(place)) inView.set(place, cards.appendChild(card(place)));
  sheet.setAttribute("aria-activedescendant", `card-${current}`);
}

function redrawSheet() {
  cards.replaceChildren();
  inView.clear();
  drawSheet();
}

// Makes a place the current one, and brings it into view.
function go(place) {
  current = Math.max(0, Math.min(place, chosen.length - 1));
  redrawSheet(); // the sheet has its height before it is scrolled
  const top = rowOf(current) * CARD.height;
  const lowest = top + CARD.height - sheet.clientHeight;
  sheet.scrollTop = Math.min(top, Math.max(lowest, sheet.scrollTop));
}
sheet.addEventListener("scroll", drawSheet);
