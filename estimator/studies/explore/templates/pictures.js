// Pictures: plain SVG, drawn to the width of their place, so that letters keep their size.

const SVG = "http://www.w3.org/2000/svg";
const MINUS = "\u2212";

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A number as readers write it: three digits, persons no finer than tens. */
function told(value, unit) {
  if (!Number.isFinite(value)) return "\u2013";
  if (unit === "share") return (100 * value).toFixed(Math.abs(value) < 0.1 ? 1 : 0) + "\u00a0%";
  const size = Math.abs(value);
  const places = size === 0 ? 0 : 2 - Math.floor(Math.log10(size));
  const step = 10 ** -(unit.startsWith("persons") ? Math.min(places, size < 1000 ? -1 : -2) : places);
  const rounded = Math.round(value / step) * step + 0;
  const digits = Math.max(0, Math.min(6, Math.round(-Math.log10(step))));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: digits }).replace("-", MINUS);
}

function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough);
  const found = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-9; t += step) found.push(t + 0);
  return found;
}

function scale(from, to) {
  const slope = (to[1] - to[0]) / (from[1] - from[0]);
  const apply = (v) => to[0] + (v - from[0]) * slope;
  apply.back = (p) => from[0] + (p - to[0]) / slope;
  return apply;
}

function path(points, closed = false) {
  return "M" + points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L") + (closed ? "Z" : "");
}

const band = (xs, low, high) => path([...xs.map((x, i) => [x, high[i]]), ...xs.map((x, i) => [x, low[i]]).reverse()], true);

/** Axes of a picture whose horizontal places are months or numbers. */
function frame(place, height, vertical, unit) {
  const width = Math.max(place.clientWidth, 260), left = 58, right = 10, top = 10, bottom = 30;
  const y = scale(vertical, [height - bottom, top]);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", class: "picture" });
  for (const t of ticks(...vertical, 5)) {
    root.append(svg("line", { x1: left, x2: width - right, y1: y(t), y2: y(t), class: t === 0 ? "zero" : "grid" }));
    root.append(svg("text", { x: left - 6, y: y(t) + 4, "text-anchor": "end" }, told(t, unit)));
  }
  return { root, width, height, left, right, top, bottom, y };
}

function monthAxis(at, months) {
  const step = (at.width - at.left - at.right) / months.length;
  const x = (i) => at.left + (i + 0.5) * step;
  const every = Math.ceil(46 / step);
  months.forEach((month, i) => {
    if ((months.length - 1 - i) % every) return;
    at.root.append(svg("text", { x: x(i), y: at.height - 10, "text-anchor": "middle" }, shortMonth(month)));
  });
  return { x, step };
}

const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LONG = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const shortMonth = (m) => `${NAMES[+m.slice(5) - 1]} ${m.slice(2, 4)}`;
const longMonth = (m) => (m === "total" ? "the whole window" : `${LONG[+m.slice(5) - 1]} ${m.slice(0, 4)}`);

function spread(parts, least) {
  let low = Infinity, high = -Infinity;
  for (const part of parts) for (const v of part) { low = Math.min(low, v); high = Math.max(high, v); }
  const room = 0.06 * (high - low || 1);
  return [least !== undefined && low >= 0 ? Math.min(least, low) : low - room, high + room];
}

/** Five quantiles by month, now and as the set is, with the claims on it. */
function drawFan(place, { now, before, months, month, claims, unit }) {
  const marks = claims.map((c) => [c.low ?? c.middle, c.high ?? c.middle]).flat();
  const at = frame(place, 300, spread([...now.flat(), ...before.flat(), ...marks].map((v) => [v])), unit);
  const { x, step } = monthAxis(at, months), { y, root } = at;
  const xs = months.map((_, i) => x(i));
  const line = (rows, k) => rows.map((row) => y(row[k]));
  const chosen = months.indexOf(month);
  if (chosen >= 0) root.append(svg("rect", { x: x(chosen) - step / 2, width: step, y: at.top, height: at.height - at.top - at.bottom, class: "chosen" }));
  root.append(svg("path", { d: band(xs, line(now, 0), line(now, 4)), class: "now outer" }));
  root.append(svg("path", { d: band(xs, line(now, 1), line(now, 3)), class: "now inner" }));
  for (const k of [0, 2, 4]) root.append(svg("path", { d: path(xs.map((px, i) => [px, y(before[i][k])])), class: `before ${k === 2 ? "middle" : ""}` }));
  root.append(svg("path", { d: path(xs.map((px, i) => [px, y(now[i][2])])), class: "now line" }));
  for (const claim of claims) root.append(claimMark(claim, at, x, step, months));
  return root;
}

function claimMark(claim, at, x, step, months) {
  const clamp = (p) => Math.max(at.left, Math.min(at.width - at.right, p));
  const begin = clamp(at.left + claim.begin * step), end = clamp(at.left + claim.end * step);
  const middle = (begin + end) / 2, y = at.y(claim.middle), made = svg("g", { class: `claim ${claim.confirmed ? "confirmed" : ""}` });
  if (claim.low !== null && claim.high !== null)
    made.append(svg("line", { x1: middle, x2: middle, y1: at.y(claim.low), y2: at.y(claim.high) }));
  if (end - begin > 1.5 * step) made.append(svg("line", { x1: begin, x2: end, y1: y, y2: y }));
  const d = claim.confirmed ? [[middle - 5, y + 4], [middle, y - 5], [middle + 5, y + 4]] : [[middle - 4.5, y], [middle, y - 4.5], [middle + 4.5, y], [middle, y + 4.5]];
  made.append(svg("path", { d: path(d, true) }), svg("title", {}, claim.text));
  return made;
}

/** Recruits against losses by month. */
function drawBalance(place, { losses, recruits, months, unit }) {
  const at = frame(place, 260, spread([...losses, ...recruits]), unit);
  const { x } = monthAxis(at, months), { y, root } = at, xs = months.map((_, i) => x(i));
  for (const [name, rows] of [["losses", losses], ["recruits", recruits]]) {
    root.append(svg("path", { d: band(xs, rows.map((r) => y(r[0])), rows.map((r) => y(r[4]))), class: `${name} outer` }));
    root.append(svg("path", { d: path(xs.map((px, i) => [px, y(rows[i][2])])), class: `${name} line` }));
  }
  const end = months.length - 1, apart = y(losses[end][2]) < y(recruits[end][2]) ? -1 : 1;
  root.append(svg("text", { x: xs[end], y: y(losses[end][2]) + 8 * apart + 4, "text-anchor": "end", class: "losses name" }, "losses"));
  root.append(svg("text", { x: xs[end], y: y(recruits[end][2]) - 8 * apart + 4, "text-anchor": "end", class: "recruits name" }, "recruits"));
  return root;
}

/** Weighted draws of one number: filled now, dashed as the set is. */
function drawHistogram(place, { now, before, edges, event, unit }) {
  const width = Math.max(place.clientWidth, 260), height = 210, left = 10, right = 10, bottom = 30, top = 16;
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", class: "picture" });
  const x = scale([edges[0], edges.at(-1)], [left, width - right]);
  const y = scale([0, Math.max(...now, ...before)], [height - bottom, top]);
  const inside = (i) => { const c = (edges[i] + edges[i + 1]) / 2; return event.below ? c < event.threshold : c > event.threshold; };
  now.forEach((v, i) => {
    root.append(svg("rect", { x: x(edges[i]) + 0.5, width: Math.max(x(edges[i + 1]) - x(edges[i]) - 1, 0.5), y: y(v), height: Math.max(y(0) - y(v), 0), class: inside(i) ? "bar event" : "bar" }));
  });
  const steps = before.flatMap((v, i) => [[x(edges[i]), y(v)], [x(edges[i + 1]), y(v)]]);
  root.append(svg("path", { d: path(steps), class: "before middle" }));
  root.append(svg("line", { x1: left, x2: width - right, y1: y(0), y2: y(0), class: "zero" }));
  const place_ = x(event.threshold);
  if (place_ >= left && place_ <= width - right) root.append(svg("line", { x1: place_, x2: place_, y1: top - 8, y2: y(0), class: "threshold" }));
  for (const t of ticks(edges[0], edges.at(-1), Math.max(3, Math.floor(width / 110)))) {
    if (x(t) > left + 18 && x(t) < width - right - 18)
      root.append(svg("text", { x: x(t), y: height - 10, "text-anchor": "middle" }, told(t, unit)));
  }
  return root;
}

function histogram(values, weights, edges) {
  const counts = new Array(edges.length - 1).fill(0), low = edges[0], size = edges[1] - edges[0];
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i] - low) / size);
    if (bin >= 0 && bin < counts.length) counts[bin] += weights[i];
  }
  return counts;
}

/** A picture as a file: its look is that of the page, written into it. */
function standalone(root) {
  const copy = root.cloneNode(true), from = [root, ...root.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
  const kept = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "font-size", "font-family", "font-weight", "paint-order"];
  from.forEach((node, i) => {
    const look = getComputedStyle(node);
    for (const name of kept) to[i].setAttribute(name, look.getPropertyValue(name));
    to[i].removeAttribute("class");
  });
  copy.setAttribute("xmlns", SVG);
  const ground = getComputedStyle(document.body).backgroundColor;
  copy.prepend(svg("rect", { width: "100%", height: "100%", fill: ground }));
  return new XMLSerializer().serializeToString(copy);
}

async function asPng(root) {
  const image = new Image(), factor = 2;
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(standalone(root));
  await image.decode();
  const canvas = element("canvas");
  canvas.width = factor * root.viewBox.baseVal.width;
  canvas.height = factor * root.viewBox.baseVal.height;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** A table as CSV; what a spreadsheet would run as a formula is made harmless. */
function csv(head, rows) {
  const cell = (v) => {
    let text = typeof v === "number" ? String(v) : String(v ?? "");
    if (typeof v !== "number" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return new Blob([[head, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n"], { type: "text/csv" });
}
