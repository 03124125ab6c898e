// The contact sheet: only the cards in view exist, each made anew, so no picture is another study's.
"use strict";
const CARD = { width: 124, height: 184 };
const MARGIN_ROWS = 2; // above and below what is in view
const sheet = byId("sheet");
const cards = byId("cards");
const perRow = () => Math.max(1, Math.floor(cards.clientWidth / CARD.width));
const shownCards = new Map(); // by place

function card(place) {
  const study = chosen[place];
  const made = element("div", "", { class: "card", role: "option", id: `card-${place}`, "aria-selected": place === current });
  made.style.transform = `translate(${(place % perRow()) * CARD.width}px, ${Math.floor(place / perRow()) * CARD.height}px)`;
  if (studies.thumbnail[study]) made.append(element("img", "", { src: studies.thumbnail[study], alt: "", draggable: "false" }));
  else made.append(element("div", failed(study) ? data.failures[studies.failure[study]][0] : "no image", { class: failed(study) ? "picture failed" : "picture" }));
  made.append(element("bdi", studies.name[study], { class: "name", title: studies.name[study].slice(0, 300) }));
  made.append(element("span", sortedValue(study), { class: "value" }), element("span", signs(study), { class: "signs" }));
  made.setAttribute("aria-label", spoken(study));
  made.addEventListener("click", () => (go(place), openStudy()));
  return made;
}

function sortedValue(study) {
  const column = data.columns[+order.by];
  if (column) return withUnit(shown(column, column.values[study]), column.unit);
  return order.by === "scanner" ? data.scanners[studies.scanner[study]] || "" : monthOf(study);
}

function signs(study) {
  const { mark, comment } = markOf(study);
  const warnings = failed(study) ? "" : studies.warnings[study] ? `⚠${studies.warnings[study]}` : "";
  return [studies.unusual[study] ? "≠" : "", warnings, comment ? "✎" : "", SIGNS[mark] || ""].filter(Boolean).join(" ");
}

function spoken(study) {
  const { mark } = markOf(study);
  const state = failed(study) ? "failed" : `${studies.warnings[study]} warnings`;
  return [studies.name[study].slice(0, 300), state, mark && `marked ${mark}`].filter(Boolean).join(", ");
}

function drawSheet() {
  const rows = Math.ceil(chosen.length / perRow());
  cards.style.height = `${rows * CARD.height}px`;
  const top = Math.floor(sheet.scrollTop / CARD.height) - MARGIN_ROWS;
  const bottom = Math.ceil((sheet.scrollTop + sheet.clientHeight) / CARD.height) + MARGIN_ROWS;
  const first = Math.max(0, top * perRow());
  const last = Math.min(chosen.length, bottom * perRow());
  for (const [place, made] of shownCards) {
    if (place < first || place >= last) (made.remove(), shownCards.delete(place));
  }
  for (let place = first; place < last; place++) {
    if (!shownCards.has(place)) shownCards.set(place, cards.appendChild(card(place)));
  }
  sheet.setAttribute("aria-activedescendant", `card-${current}`);
}

function redrawSheet() {
  for (const made of shownCards.values()) made.remove();
  shownCards.clear();
  drawSheet();
}

// Makes a place the current one, and brings it into view.
function go(place) {
  if (!chosen.length) return;
  current = Math.min(Math.max(place, 0), chosen.length - 1);
  const top = Math.floor(current / perRow()) * CARD.height;
  if (top < sheet.scrollTop) sheet.scrollTop = top;
  if (top + CARD.height > sheet.scrollTop + sheet.clientHeight) sheet.scrollTop = top + CARD.height - sheet.clientHeight;
  redrawSheet();
}

let isWaiting = false;
function soon(draw) {
  if (!isWaiting) requestAnimationFrame(() => ((isWaiting = false), draw()));
  isWaiting = true;
}
sheet.addEventListener("scroll", () => soon(drawSheet));
new ResizeObserver(() => soon(redrawSheet)).observe(sheet);
