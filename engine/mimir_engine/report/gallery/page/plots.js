// Histograms and the scatter, drawn by uPlot: all studies pale, chosen ones strong.
"use strict";
const BINS = 40;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
const axis = (label, more = {}) => ({ label, stroke: colour("text"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") }, font: "11px sans-serif", labelFont: "12px sans-serif", labelSize: 18, ...more });
const titled = ({ label, unit }) => (unit ? `${label} (${unit})` : label);

// How many studies have a value in each of some bins of equal width: all, and chosen ones.
function binned({ values }) {
  const known = values.filter((value) => value !== null);
  const low = known.reduce((a, b) => Math.min(a, b), Infinity);
  const high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  const width = (high - low) / BINS || 1;
  const edges = Array.from({ length: BINS + 1 }, (_, n) => low + n * width);
  const [all, marked] = [new Array(BINS + 1).fill(0), new Array(BINS + 1).fill(0)];
  values.forEach((value, study) => {
    if (value === null) return;
    const bin = Math.min(BINS - 1, Math.floor((value - low) / width));
    all[bin] += 1;
    marked[bin] += isChosen[study];
  });
  return [edges, all, marked];
}

function histogram(place, column, height, onSelect) {
  const bars = uPlot.paths.bars({ size: [1, 100], align: 1, gap: 1 });
  return new uPlot(
    {
      width: place.clientWidth, height, legend: { show: false },
      cursor: { show: !!onSelect, y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
      scales: { x: { time: false }, y: { range: (_, low, high) => [0, high || 1] } },
      axes: [axis("", { size: 26 }), axis("", { size: 40 })],
      series: [{}, { paths: bars, fill: colour("pale"), stroke: colour("quiet"), width: 1 }, { paths: bars, fill: colour("strong") }],
      hooks: onSelect && { setSelect: [(plot) => plot.select.width > 2 && onSelect(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"))] },
    },
    binned(column), place);
}

const plots = {}; // by place
function draw(id, make) {
  plots[id]?.destroy();
  plots[id] = byId(id).clientWidth ? make(byId(id)) : null;
}

function drawHistogram() {
  const number = +byId("column").value;
  if (data.columns[number]) draw("histogram", (place) => histogram(place, data.columns[number], 150, (low, high) => setRange(number, low, high)));
}

function drawDistributions() {
  const place = byId("distributions");
  place.replaceChildren();
  data.columns.forEach((column, number) => {
    const figure = place.appendChild(element("figure"));
    const button = figure.appendChild(element("button", titled(column), { title: "Choose values of this measurement" }));
    button.addEventListener("click", () => ((byId("column").value = number), drawHistogram()));
    histogram(figure.appendChild(element("div", "", { class: "plot" })), column, 110);
  });
}

// All studies as rings, chosen ones as dots.
function points(fill) {
  return (plot, series) => {
    uPlot.orient(plot, series, (_, xs, ys, scaleX, scaleY, toX, toY, left, top, width, height, move, line, rect, arc) => {
      const path = new Path2D();
      const radius = 2.5 * devicePixelRatio;
      for (let n = 0; n < xs.length; n++) {
        const [x, y] = [toX(xs[n], scaleX, width, left), toY(ys[n], scaleY, height, top)];
        path.moveTo(x + radius, y);
        path.arc(x, y, radius, 0, 2 * Math.PI);
      }
      plot.ctx.strokeStyle = plot.ctx.fillStyle = colour(fill ? "strong" : "quiet");
      fill ? plot.ctx.fill(path) : plot.ctx.stroke(path);
    });
    return null;
  };
}

function equality(plot) {
  const [low, high] = [Math.max(plot.scales.x.min, plot.scales.y.min), Math.min(plot.scales.x.max, plot.scales.y.max)];
  if (data.columns[+byId("x").value].unit !== data.columns[+byId("y").value].unit || low >= high) return;
  plot.ctx.strokeStyle = colour("quiet");
  plot.ctx.beginPath();
  plot.ctx.moveTo(plot.valToPos(low, "x", true), plot.valToPos(low, "y", true));
  plot.ctx.lineTo(plot.valToPos(high, "x", true), plot.valToPos(high, "y", true));
  plot.ctx.stroke();
}

function drawScatter() {
  const [x, y] = [+byId("x").value, +byId("y").value];
  const [across, up] = [data.columns[x], data.columns[y]];
  if (!across || !up) return;
  const known = [...Array(count).keys()].filter((study) => across.values[study] !== null && up.values[study] !== null);
  const pairs = (some) => [some.map((study) => across.values[study]), some.map((study) => up.values[study])];
  const facets = [{ scale: "x", auto: true }, { scale: "y", auto: true }];
  draw("points", (place) => {
    const plot = new uPlot(
      {
        mode: 2, width: place.clientWidth, height: Math.max(300, place.parentElement.clientHeight - 120), legend: { show: false },
        cursor: { drag: { x: true, y: true, setScale: false }, points: { show: false } },
        scales: { x: { time: false }, y: {} }, axes: [axis(titled(across)), axis(titled(up), { size: 60 })],
        series: [null, { facets, paths: points(false) }, { facets, paths: points(true) }],
        hooks: {
          draw: [equality],
          setSelect: [({ select, posToVal }) => {
            if (select.width < 4 || select.height < 4) return;
            setRange(x, posToVal(select.left, "x"), posToVal(select.left + select.width, "x"));
            setRange(y, posToVal(select.top + select.height, "y"), posToVal(select.top, "y"));
          }],
        },
      },
      [null, pairs(known), pairs(known.filter((study) => isChosen[study]))], place);
    plot.over.addEventListener("click", ({ offsetX, offsetY }) => {
      const away = (study) => Math.hypot(plot.valToPos(across.values[study], "x") - offsetX, plot.valToPos(up.values[study], "y") - offsetY);
      const nearest = known.filter((study) => isChosen[study]).reduce((a, b) => (a === null || away(b) < away(a) ? b : a), null);
      if (nearest !== null && away(nearest) < 12) (go(chosen.indexOf(nearest)), openStudy());
    });
    return plot;
  });
}
