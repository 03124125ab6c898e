// The studies, and which of them are chosen in which order.
const data = JSON.parse(document.getElementById("data").textContent);
const studies = data.studies; // lists of names, months and so on, by the study's number
const everyStudy = studies.name.map((_, study) => study);
const byId = (id) => document.getElementById(id);
const all = (selector) => document.querySelectorAll(selector);

// An element with a text, never with markup: texts come from studies.
const element = (kind, textContent = "", properties = {}) =>
  Object.assign(document.createElement(kind), { textContent, ...properties });

let wanted = {}; // values of the controls by their names
const ranges = new Map(); // lowest and highest value by column
let [chosen, isChosen] = [everyStudy, new Set(everyStudy)];
let current = 0; // place among the chosen ones

function isWanted(study) {
  const month = studies.month[study];
  const isWithin = ([column, [low, high]]) => {
    const value = data.columns[column].values[study];
    return value !== null && value >= low && value <= high;
  };
  return studies.name[study].toLowerCase().includes(wanted.name.toLowerCase()) &&
    (!wanted.code || studies.codes[study].includes(+wanted.code)) &&
    (!wanted.scanner || studies.scanner[study] === wanted.scanner) &&
    (!wanted.from || (month && month >= wanted.from)) &&
    (!wanted.to || (month && month <= wanted.to)) &&
    (!wanted.mark || hasMark(study, wanted.mark)) && [...ranges].every(isWithin);
}

// Chooses studies anew and sorts them; those without a value come last.
function choose() {
  const before = chosen[current];
  const keys = studies[wanted.order] || data.columns[wanted.order].values;
  const isEmpty = (key) => (key ?? "") === "";
  chosen = everyStudy.filter(isWanted).sort((one, other) => {
    const [a, b] = [keys[one], keys[other]];
    if (a === b) return one - other;
    if (isEmpty(a) || isEmpty(b)) return isEmpty(a) ? 1 : -1;
    return (a < b ? -1 : 1) * wanted.direction;
  });
  isChosen = new Set(chosen);
  current = Math.max(0, chosen.indexOf(before));
}
