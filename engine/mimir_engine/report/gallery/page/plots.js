// Histograms and the scatter, drawn by uPlot: all studies pale or as rings, chosen ones strong.
const [RADIUS, NEAR] = [2.5, 12]; // pixels: of a study in the scatter; from it, where a click opens it
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
const inUnit = ({ decimals, unit }, value) =>
  value === null ? "" : `${value.toFixed(decimals)} ${unit}`.trim();

const lines = () => ({ stroke: colour("line"), width: 1 });
const axis = (more) =>
  ({ stroke: colour("text"), grid: lines(), ticks: lines(), font: "11px sans-serif", ...more });

// How many studies have a value in each bin of a column: all, and chosen ones.
function binned({ edges, values }) {
  const [every, ours] = [edges.map(() => 0), edges.map(() => 0)];
  for (const study of everyStudy.filter((study) => values[study] !== null)) {
    const bin = Math.floor((values[study] - edges[0]) / (edges[1] - edges[0]));
    const within = Math.max(0, Math.min(bin, edges.length - 1));
    every[within] += 1;
    ours[within] += isChosen.has(study);
  }
  return [edges, every, ours];
}

function histogram(place, column, height, hooks = {}) {
  const [low, before, high] = [column.edges[0], ...column.edges.slice(-2)];
  const paths = uPlot.paths.bars({ size: [1, 100], align: 1, gap: 1 });
  const bars = (fill, stroke) => ({ paths, fill: colour(fill), stroke: colour(stroke), width: 1 });
  plot(place, binned(column), {
    height,
    cursor: { show: Boolean(hooks.setSelect), y: false, drag: { setScale: false }, points: { show: false } },
    scales: { x: { time: false, range: [low, 2 * high - before] }, y: { range: (_, __, most) => [0, most || 1] } },
    axes: [axis({ size: 26 }), axis({ size: 40 })],
    series: [{}, bars("pale", "quiet"), bars("strong", "strong")],
    hooks,
  });
}

function plot(place, values, options) {
  place.replaceChildren();
  return new uPlot({ width: place.clientWidth, legend: { show: false }, ...options }, values, place);
}

// Chooses what was dragged across in a plot; `columns` are those of its axes.
function chooseDragged({ select: { left, top, width, height }, posToVal }, columns) {
  if (Math.min(width, height) < RADIUS) return;
  const ends = { x: [left, left + width], y: [top + height, top] };
  for (const [scale, column] of Object.entries(columns))
    ranges.set(+column, ends[scale].map((end) => posToVal(end, scale)));
  update();
}

function drawHistogram() {
  const choosePart = (plot) => chooseDragged(plot, { x: wanted.column });
  histogram(byId("histogram"), data.columns[wanted.column], 150, { setSelect: [choosePart] });
}

function drawDistributions() {
  byId("distributions").replaceChildren();
  for (const column of data.columns) {
    const figure = byId("distributions").appendChild(element("figure"));
    figure.append(element("figcaption", column.title), element("div"));
    histogram(figure.lastChild, column, 110);
  }
}

function drawEquality({ ctx, scales: { x, y }, valToPos }) {
  const ends = [Math.max(x.min, y.min), Math.min(x.max, y.max)];
  if (data.columns[wanted.x].unit !== data.columns[wanted.y].unit || ends[0] >= ends[1]) return;
  const places = ends.map((end) => [valToPos(end, "x", true), valToPos(end, "y", true)]);
  ctx.strokeStyle = colour("text");
  ctx.stroke(new Path2D(`M ${places.join(" L ")}`));
}

function drawScatter() {
  const [x, y] = [data.columns[wanted.x], data.columns[wanted.y]];
  const known = everyStudy.filter((study) => x.values[study] !== null && y.values[study] !== null);
  const ours = known.filter((study) => isChosen.has(study));
  const places = (some) => [x, y].map(({ values }) => some.map((study) => values[study]));
  const facets = ["x", "y"].map((scale) => ({ scale, auto: true }));
  const dots = { paths: uPlot.paths.points(), points: { size: 2 * RADIUS + 1, width: 1 }, facets };
  const chooseBox = (plot) => chooseDragged(plot, { x: wanted.x, y: wanted.y });
  const { over, valToPos } = plot(byId("points"), [null, places(known), places(ours)], {
    mode: 2,
    height: byId("points").clientHeight,
    cursor: { drag: { x: true, y: true, setScale: false }, points: { show: false } },
    scales: { x: { time: false, range: { min: { pad: 0.1 }, max: { pad: 0.1 } } } },
    axes: [axis({ label: x.title }), axis({ label: y.title, size: 60 })],
    series: [null, { ...dots, stroke: colour("quiet") }, { ...dots, fill: colour("strong") }],
    hooks: { draw: [drawEquality], setSelect: [chooseBox] },
  });
  over.addEventListener("click", ({ offsetX, offsetY }) => {
    const away = (study) => Math.hypot(
      valToPos(x.values[study], "x") - offsetX, valToPos(y.values[study], "y") - offsetY);
    const near = ours.filter((study) => away(study) < NEAR).sort((a, b) => away(a) - away(b));
    if (near.length) (go(chosen.indexOf(near[0])), openStudy());
  });
}
