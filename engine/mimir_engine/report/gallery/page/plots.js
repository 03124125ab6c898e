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

// Chooses the values of a column between two places of a plot.
function chooseBetween({ posToVal }, scale, column, from, to) {
  ranges.set(+column, [posToVal(from, scale), posToVal(to, scale)]);
  update();
}

function drawHistogram() {
  const choosePart = (plot) => {
    const { left, width } = plot.select;
    if (width > RADIUS) chooseBetween(plot, "x", wanted.column, left, left + width);
  };
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

function drawPoints(plot, series) {
  uPlot.orient(plot, series, (_, xs, ys, scaleX, scaleY, toX, toY, left, top, width, height) => {
    const [path, radius] = [new Path2D(), RADIUS * devicePixelRatio];
    xs.forEach((x, n) => {
      const [across, up] = [toX(x, scaleX, width, left), toY(ys[n], scaleY, height, top)];
      path.moveTo(across + radius, up);
      path.arc(across, up, radius, 0, 2 * Math.PI);
    });
    Object.assign(plot.ctx, { strokeStyle: colour("quiet"), fillStyle: colour("strong") });
    plot.ctx[series === 1 ? "stroke" : "fill"](path);
  });
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
  const series = { paths: drawPoints, facets: ["x", "y"].map((scale) => ({ scale, auto: true })) };
  const chooseBox = (plot) => {
    const { left, top, width, height } = plot.select;
    if (width < RADIUS || height < RADIUS) return;
    chooseBetween(plot, "x", wanted.x, left, left + width);
    chooseBetween(plot, "y", wanted.y, top + height, top);
  };
  const { over, valToPos } = plot(byId("points"), [null, places(known), places(ours)], {
    mode: 2,
    height: byId("points").clientHeight,
    cursor: { drag: { x: true, y: true, setScale: false }, points: { show: false } },
    scales: { x: { time: false } },
    axes: [axis({ label: x.title }), axis({ label: y.title, size: 60 })],
    series: [null, series, series],
    hooks: { draw: [drawEquality], setSelect: [chooseBox] },
  });
  over.addEventListener("click", ({ offsetX, offsetY }) => {
    const away = (study) => Math.hypot(
      valToPos(x.values[study], "x") - offsetX, valToPos(y.values[study], "y") - offsetY);
    const near = ours.filter((study) => away(study) < NEAR).sort((a, b) => away(a) - away(b));
    if (near.length) (go(chosen.indexOf(near[0])), openStudy());
  });
}
