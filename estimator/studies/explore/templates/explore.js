// The page: controls, the answer, and the address that holds both.

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($("facts").textContent);
const STEPS = 400; // of a slider, evenly spread on the log or log-odds scale
const FIVE = [0.05, 0.25, 0.5, 0.75, 0.95];
const NOW = { world: 0, event: null, ranges: {}, without: new Set() };
let drawn = null; // what the pictures show, for hover and files
let looked = null; // the month that is read, where it is not that of the event

const worldNow = () => facts.worlds[NOW.world];
const rowOf = (quantity, month) => `${quantity} ${month}`;
const quantityOf = (name) => facts.quantities.find((q) => q.name === name);
const unitOf = (event) => (event.month === "total" ? quantityOf(event.quantity).total : quantityOf(event.quantity).unit);
const digits3 = (v) => Number(v.toPrecision(3));
const value3 = (v, slider) => (slider.share ? told(v, "share") : v.toLocaleString("en-US", { maximumSignificantDigits: 3 }));
const shown = (range, slider) => range.map((v) => value3(v, slider)).join(" to ") + (slider.share ? "" : ` ${slider.unit}`);
const chance = (p) => { const n = Math.round(100 * p); return n === 100 && p < 1 ? "over 99" : n === 0 && p > 0 ? "under 1" : String(n); };
const isMoved = (slider) => slider.key in NOW.ranges;
const position = () => ({ ranges: NOW.ranges, without: [...NOW.without] });

async function load(world) {
  if (world.draws) return;
  const place = $("draws-" + facts.worlds.indexOf(world));
  world.draws = await decoded(place.textContent, world.rows, world.n);
  place.remove();
  world.orders = new Map();
  world.before = weighted(world, { ranges: {}, without: [] });
}

function weighted(world, { ranges, without }) {
  const found = smoothed(logRatio(world, ranges, without));
  const apart = world.apart.some((pair) => pair.every((name) => without.includes(name)));
  return { ...found, ess: found.kish * world.relative_ess, lamp: apart ? "refused" : lampOf(world, found, facts.bounds) };
}

// ---- the answer ---------------------------------------------------------------------------------

function refresh() {
  const world = worldNow(), event = { ...NOW.event, row: rowOf(NOW.event.quantity, NOW.event.month) };
  const found = weighted(world, position()), refused = found.lamp === "refused";
  const was = probability(world, event, world.before.weights), is = probability(world, event, found.weights);
  const unit = unitOf(event), words = quantityOf(event.quantity).words, when = longMonth(event.month);
  const own = world.before.lamp === "refused" ? "not within reach of these draws" : `${chance(was.p)} in 100`;
  $("chance").firstElementChild.textContent = refused ? "This needs a fit" : `${chance(is.p)} in 100`;
  $("error").textContent = refused ? "" : `probability ${is.p.toFixed(3)} \u00b1 ${is.error.toFixed(3)}`;
  $("was").textContent = `${world.label} as it is: ${own}.` + (refused ? " The kept draws do not reach this position; nothing is shown rather than something wrong." : "");
  const ends = (weights) => quantiles(world, event.row, weights, [0.05, 0.5, 0.95]).map((v) => told(v, unit));
  const [low, middle, high] = ends(found.weights), [low0, middle0, high0] = ends(world.before.weights);
  const range = refused ? "" : `${words[0].toUpperCase() + words.slice(1)}, ${when}: ${middle} [${low} to ${high}] ${unit}; as it is ${middle0} [${low0} to ${high0}].`;
  $("range").textContent = range;
  const lamp = $("lamp");
  lamp.className = found.lamp;
  const worth = `k-hat ${Number.isFinite(found.k) ? found.k.toFixed(2).replace("-", MINUS) : "infinite"}, worth ${Math.round(found.ess).toLocaleString("en-US")} independent draws of ${world.n.toLocaleString("en-US")}`;
  lamp.textContent = { good: "Good: ", rough: "Rough: ", refused: "Refused: " }[found.lamp] + worth + (world.failures ? "; a fit behind this missed a bound of its diagnostics, see below" : "");
  $("missed").hidden = !world.failures;
  $("missed").textContent = `A fit behind this missed a bound of its diagnostics: ${world.failures}.`;
  $("command").textContent = command(world);
  pictures(world, event, found, refused);
  reading($("histogram"), range);
  marks();
  later(world, event, found, is, refused);
  return found;
}

function command(world) {
  const words = [], key = (text) => text.split("=")[0].replace(/^[+~]+/, "");
  for (const slider of world.sliders) {
    if (!isMoved(slider)) continue;
    const [low, high] = NOW.ranges[slider.key].map((v) => String(v)), plus = slider.by_range ? "" : "++";
    words.push(`${plus}${slider.key}.low=${low}`, `${plus}${slider.key}.high=${high}`);
    if (!slider.by_range) words.push(`${plus}${slider.key}.mu=null`, `${plus}${slider.key}.sigma=null`);
    else if (slider.other_mass) words.push(`${slider.key}.mass=0.9`);
  }
  for (const name of NOW.without) words.push(`evidence.groups.${name}=none`);
  const keys = new Set(words.map(key)); // a key that is given twice would be refused
  const all = ["estimator", "run", ...world.overrides.filter((text) => !keys.has(key(text))), ...words];
  return all.map((w) => (/^[\w@%+=:,./-]+$/.test(w) ? w : `'${w.replaceAll("'", `'"'"'`)}'`)).join(" ");
}

// ---- pictures -----------------------------------------------------------------------------------

function pictures(world, event, found, refused) {
  if (refused) {
    drawn = null;
    for (const figure of document.querySelectorAll(".figure")) { reading(figure, ""); figure.querySelector(".place").replaceChildren(); }
    return;
  }
  const months = facts.months, w = found.weights, w0 = world.before.weights, unit = quantityOf(event.quantity).unit;
  const rows = (quantity, weights) => months.map((m) => quantiles(world, rowOf(quantity, m), weights, FIVE));
  drawn = { world, event, months, unit: unitOf(event), now: rows(event.quantity, w), before: rows(event.quantity, w0), weights: w, weights0: w0 };
  drawn.claims = world.claims.filter((c) => c.quantity === event.quantity && c.begin > -0.6 && c.begin < months.length - 0.1 && !(c.group && NOW.without.has(c.group)));
  put("fan", (place) => drawFan(place, { ...drawn, month: event.month, unit }));
  if (facts.balance) {
    drawn.losses = rows("losses", w);
    drawn.recruits = rows("recruits", w);
    put("balance", (place) => drawBalance(place, { ...drawn, unit: quantityOf("losses").unit }));
  }
  const values = world.draws.get(event.row);
  const both = [w, w0].flatMap((weights) => quantiles(world, event.row, weights, [0.003, 0.997]));
  const low = Math.min(...both), high = Math.max(...both), bins = 44;
  drawn.edges = Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins);
  drawn.counts = histogram(values, w, drawn.edges);
  drawn.counts0 = histogram(values, w0, drawn.edges);
  put("histogram", (place) => drawHistogram(place, { now: drawn.counts, before: drawn.counts0, edges: drawn.edges, event, unit: drawn.unit }));
  const words = quantityOf(event.quantity).words;
  $("fan").querySelector("h3").textContent = `${words[0].toUpperCase() + words.slice(1)} by month, ${unit}`;
  $("histogram").querySelector("h3").textContent = `${words[0].toUpperCase() + words.slice(1)}, ${longMonth(event.month)}, ${drawn.unit}`;
  read();
}

function put(name, draw) {
  const figure = $(name), place = figure.querySelector(".place"), root = draw(place);
  root.setAttribute("aria-label", figure.querySelector("h3").textContent);
  place.replaceChildren(root);
}

function reading(figure, text) {
  const line = figure.querySelector(".reading");
  if (line.textContent !== text) line.textContent = text;
}

/** Say the values of the month that is read below the pictures. */
function read() {
  if (!drawn) return;
  const at = drawn.months.indexOf(looked ?? drawn.event.month), unit = quantityOf(drawn.event.quantity).unit;
  const range = (r, u) => `${told(r[2], u)} [${told(r[0], u)} to ${told(r[4], u)}]`;
  const shownMonth = at < 0 ? drawn.months.length - 1 : at, name = longMonth(drawn.months[shownMonth]);
  $("fan").dataset.at = shownMonth;
  const claims = drawn.claims.filter((c) => c.begin < shownMonth + 0.99 && c.end > shownMonth + 0.01 && c.end - c.begin < 1.5).map((c) => c.text);
  reading($("fan"), `${name}: ${range(drawn.now[shownMonth], unit)}; as it is ${range(drawn.before[shownMonth], unit)}. ${claims.length ? "Said: " + claims.join("; ") + "." : ""}`);
  if (drawn.losses) reading($("balance"), `${name}: losses ${range(drawn.losses[shownMonth], unit)}, recruits ${range(drawn.recruits[shownMonth], unit)}.`);
}

const TABLES = {
  fan: () => csv(["month", ...["now", "as_it_is"].flatMap((n) => ["q05", "q25", "q50", "q75", "q95"].map((q) => `${n}_${q}`))], drawn.months.map((m, i) => [m, ...drawn.now[i], ...drawn.before[i]])),
  balance: () => csv(["month", ...["losses", "recruits"].flatMap((n) => ["q05", "q25", "q50", "q75", "q95"].map((q) => `${n}_${q}`))], drawn.months.map((m, i) => [m, ...drawn.losses[i], ...drawn.recruits[i]])),
  histogram: () => csv(["from", "to", "now", "as_it_is"], drawn.counts.map((c, i) => [drawn.edges[i], drawn.edges[i + 1], c, drawn.counts0[i]])),
};

// ---- what is not needed at once -----------------------------------------------------------------

let waiting = 0;
function later(world, event, found, is, refused) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { address(); movers(world, event, is, refused); }, 180);
}

/** Which of the moves did most: each is taken back alone. */
function movers(world, event, is, refused) {
  const list = [];
  if (!refused) {
    for (const slider of world.sliders.filter(isMoved)) {
      const ranges = { ...NOW.ranges };
      delete ranges[slider.key];
      list.push([slider.words, { ranges, without: [...NOW.without] }]);
    }
    for (const name of NOW.without) list.push([`without ${world.groups.find((g) => g.name === name).words}`, { ranges: NOW.ranges, without: [...NOW.without].filter((n) => n !== name) }]);
  }
  const effects = list.map(([words, other]) => {
    const back = weighted(world, other);
    return [words, back.lamp === "refused" ? NaN : is.p - probability(world, event, back.weights).p];
  });
  effects.sort((a, b) => Math.abs(b[1] || 0) - Math.abs(a[1] || 0));
  $("movers").replaceChildren(...effects.map(([words, change]) => {
    const points = Number.isNaN(change) ? "not known: without it a fit is needed" : `${change < 0 ? MINUS : "+"}${Math.abs(100 * change).toFixed(1)} points`;
    return element("li", {}, element("span", {}, words), element("span", {}, points));
  }));
  $("unmoved").hidden = effects.length > 0;
  $("unmoved").textContent = refused ? "Nothing can be said of a position that needs a fit." : "Nothing is moved yet.";
}

/** Move one assumption until the answer crosses one half, and as little as possible. */
function breakIt() {
  const world = worldNow(), event = { ...NOW.event, row: rowOf(NOW.event.quantity, NOW.event.month) };
  const at = (key, range) => { const w = weighted(world, { ranges: { ...NOW.ranges, [key]: range }, without: [...NOW.without] }); return w.lamp === "refused" ? NaN : probability(world, event, w.weights).p; };
  const start = probability(world, event, weighted(world, position()).weights).p, crosses = (p) => (start < 0.5 ? p >= 0.5 : p < 0.5);
  let best = null;
  for (const slider of world.sliders) {
    const [low, high] = (NOW.ranges[slider.key] ?? slider.range).map((v) => link(v, slider)), ends = slider.track.map((v) => link(v, slider));
    for (const way of [-1, 1]) {
      const room = way < 0 ? low - ends[0] : ends[1] - high, moved = (d) => [low, high].map((v) => digits3(unlink(v + way * d, slider)));
      let inside = 0;
      for (let n = 1; n <= 12 && room > 0; n++) {
        const d = (room * n) / 12, p = at(slider.key, moved(d));
        if (Number.isNaN(p)) break;
        if (crosses(p)) {
          let out = d;
          for (let i = 0; i < 5; i++) { const mid = (inside + out) / 2; if (crosses(at(slider.key, moved(mid)))) out = mid; else inside = mid; }
          const cost = out / slider.own[1];
          if (!best || cost < best.cost) best = { cost, key: slider.key, range: moved(out), words: slider.words };
          break;
        }
        inside = d;
      }
    }
  }
  say(best ? `${best.words}: this is as far as it has to go.` : "Within reach of these draws no single assumption brings the answer across one half.");
  if (best) { NOW.ranges[best.key] = best.range; refresh(); }
}

const say = (text) => { $("said").textContent = text; };

// ---- controls -----------------------------------------------------------------------------------

function sliderOf(slider) {
  const ends = slider.track.map((v) => link(v, slider)), toValue = (n) => digits3(unlink(ends[0] + ((ends[1] - ends[0]) * n) / STEPS, slider));
  const toStep = (v) => Math.round((STEPS * (link(v, slider) - ends[0])) / (ends[1] - ends[0]));
  const place = (v) => Math.max(0, Math.min(100, (100 * (link(v, slider) - ends[0])) / (ends[1] - ends[0])));
  const inputs = ["low end, 5 %", "high end, 95 %"].map((name) => element("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": `${slider.words}: ${name}` }));
  const set = element("i", { class: "set" }), own = element("i", { class: "own" }), value = element("span", { class: "value" });
  const rail = element("div", { class: "rail" }, element("i"), own, set, ...inputs);
  const span = (bar, range) => { bar.style.left = place(range[0]) + "%"; bar.style.right = 100 - place(range[1]) + "%"; };
  const back = element("button", { type: "button" }, "as it is");
  const made = element("fieldset", { class: "slider" }, element("legend", {}, slider.words), value, " ", back, rail, element("span", { class: "source" }, `${slider.label} has ${shown(slider.range, slider)}. ${slider.source}`), element("span", { class: "source" }, element("code", {}, slider.key)));
  span(own, slider.range);
  inputs.forEach((input, n) => input.addEventListener("input", () => {
    // A thumb stops one step short of the other: a range of no width would be a fixed value.
    const other = Number(inputs[1 - n].value), limit = n === 0 ? Math.min(Number(input.value), other - 1) : Math.max(Number(input.value), other + 1);
    input.value = limit;
    NOW.ranges[slider.key] = [toValue(Number(inputs[0].value)), toValue(Number(inputs[1].value))];
    soon();
  }));
  back.addEventListener("click", () => { delete NOW.ranges[slider.key]; refresh(); });
  slider.show = () => {
    const range = NOW.ranges[slider.key] ?? slider.range;
    inputs.forEach((input, n) => {
      const step = toStep(range[n]);
      if (Number(input.value) !== step) input.value = step;
      input.setAttribute("aria-valuetext", shown([range[n]], slider));
    });
    span(set, range);
    value.textContent = shown(range, slider);
    made.classList.toggle("moved", isMoved(slider));
    back.hidden = !isMoved(slider);
  };
  return made;
}

function switchOf(group, world) {
  const box = element("input", { type: "checkbox" });
  box.addEventListener("change", () => { if (box.checked) NOW.without.delete(group.name); else NOW.without.add(group.name); refresh(); });
  group.show = () => { box.checked = !NOW.without.has(group.name); };
  return element("label", {}, box, group.words, element("small", {}, group.claims.join("; ")));
}

function build() {
  const world = worldNow();
  for (const slider of world.sliders) slider.label = world.label;
  $("sliders").replaceChildren(...world.sliders.map(sliderOf));
  $("switches").replaceChildren(...world.groups.map((g) => switchOf(g, world)), ...world.refused.map(([name, why]) => element("p", { class: "source" }, `${name}: ${why}.`)));
  $("switched").hidden = world.groups.length + world.refused.length === 0;
  $("fixed").replaceChildren(...world.fixed.map((row) => element("tr", {}, element("th", { scope: "row" }, row.words, element("small", {}, row.key)), element("td", {}, `${row.value} ${row.unit}`), element("td", { class: "long" }, row.source))));
  $("presets").replaceChildren(...facts.presets.map((preset, n) => {
    const made = element("button", { type: "button" }, preset.words);
    made.addEventListener("click", () => choose(preset));
    preset.show = () => made.setAttribute("aria-pressed", String(facts.presets.findIndex(isChosen) === n));
    return made;
  }));
}

const isChosen = (p) => p.event === null && p.world === NOW.world && JSON.stringify(sorted(p.ranges)) === JSON.stringify(sorted(NOW.ranges)) && [...NOW.without].sort().join() === [...p.without].sort().join();
const sorted = (ranges) => Object.entries(ranges).sort(([a], [b]) => (a < b ? -1 : 1));

async function choose(preset) {
  NOW.ranges = structuredClone(preset.ranges);
  NOW.without = new Set(preset.without);
  if (preset.event) NOW.event = { ...preset.event };
  await open(preset.world);
  say(preset.note);
}

async function open(index) {
  NOW.world = index;
  await load(worldNow());
  build();
  ask();
  refresh();
}

/** Show in the controls what is chosen. */
function marks() {
  for (const slider of worldNow().sliders) slider.show();
  for (const group of worldNow().groups) group.show();
  for (const preset of facts.presets) preset.show();
  for (const radio of document.querySelectorAll("input[name=world]")) radio.checked = Number(radio.value) === NOW.world;
}

function ask() {
  const { quantity, month, below, threshold } = NOW.event;
  const months = [...[...facts.months].reverse(), ...(quantityOf(quantity).total ? ["total"] : [])];
  $("month").replaceChildren(...months.map((m) => element("option", { value: m }, longMonth(m))));
  $("quantity").value = quantity;
  $("month").value = month;
  $("side").value = below ? "below" : "above";
  $("threshold").value = threshold;
  $("unit").textContent = unitOf(NOW.event);
}

let frameAsked = false;
function soon() {
  if (frameAsked) return;
  frameAsked = true;
  requestAnimationFrame(() => { frameAsked = false; refresh(); });
}

// ---- the address --------------------------------------------------------------------------------

function address() {
  const { quantity, month, below, threshold } = NOW.event, words = new URLSearchParams();
  words.set("world", worldNow().label);
  words.set("event", `${quantity}[${month}]${below ? "<" : ">"}${threshold}`);
  for (const [key, [low, high]] of Object.entries(NOW.ranges)) words.set(key, `${low}:${high}`);
  if (NOW.without.size) words.set("without", [...NOW.without].join(","));
  history.replaceState(null, "", "#" + words);
}

/** Read an event as quantity[month]<number; null if this page does not have it. */
function eventOf(text) {
  const found = /^(\w+)\[([\w-]+)\]\s*([<>])\s*(-?[\d.]+(?:e\d+)?)$/.exec(text ?? "");
  if (!found) return null;
  const [, quantity, month, sign, number] = found, known = quantityOf(quantity), threshold = Number(number);
  if (!known || !Number.isFinite(threshold) || !(facts.months.includes(month) || (month === "total" && known.total))) return null;
  return { quantity, month, below: sign === "<", threshold };
}

/** What an address says, as far as this page has it; what it does not have is said. */
function fromAddress() {
  const words = new URLSearchParams(location.hash.slice(1)), unknown = [];
  const named = facts.worlds.findIndex((w) => w.label === words.get("world")), index = Math.max(named, 0), world = facts.worlds[index];
  if (words.has("world") && named < 0) unknown.push("world");
  const event = eventOf(words.get("event"));
  if (words.has("event") && !event) unknown.push("event");
  NOW.event = event ?? { ...facts.event };
  NOW.ranges = {};
  NOW.without = new Set();
  for (const [key, text] of words) {
    if (key === "world" || key === "event") continue;
    if (key === "without") {
      for (const name of text.split(",")) if (world.groups.some((g) => g.name === name)) NOW.without.add(name); else unknown.push(name);
      continue;
    }
    const slider = world.sliders.find((s) => s.key === key), range = text.split(":").map(Number);
    const top = slider?.share ? 1 : Infinity;
    if (slider && range.length === 2 && range[0] > 0 && range[0] < range[1] && range[1] < top) NOW.ranges[key] = range; else unknown.push(key);
  }
  say(unknown.length ? `This page does not have what the address says of: ${unknown.join(", ")}.` : "");
  return open(index);
}

// ---- begin --------------------------------------------------------------------------------------

function change() {
  const quantity = $("quantity").value, known = quantityOf(quantity), month = $("month").value, threshold = $("threshold").valueAsNumber;
  NOW.event = {
    quantity,
    month: month === "total" && !known.total ? facts.months.at(-1) : month,
    below: $("side").value === "below",
    threshold: Number.isFinite(threshold) ? threshold : NOW.event.threshold,
  };
  ask();
  refresh();
}

function listen() {
  for (const id of ["quantity", "month", "side"]) $(id).addEventListener("change", change);
  $("threshold").addEventListener("input", () => { if (Number.isFinite($("threshold").valueAsNumber)) { NOW.event.threshold = $("threshold").valueAsNumber; refresh(); } });
  $("breaks").addEventListener("click", breakIt);
  $("all").addEventListener("click", () => { NOW.ranges = {}; NOW.without = new Set(); say(""); refresh(); });
  $("copy").addEventListener("click", async () => {
    try { await navigator.clipboard.writeText($("command").textContent); say("The command is copied."); } catch { getSelection().selectAllChildren($("command")); say("The command is marked: copy it from here."); }
  });
  for (const figure of document.querySelectorAll(".figure")) {
    for (const button of figure.querySelectorAll("[data-as]")) button.addEventListener("click", async () => {
      if (!drawn) return;
      const kind = button.dataset.as, picture = figure.querySelector(".place svg"), name = `${figure.id}-${drawn.event.quantity}-${drawn.event.month}.${kind}`;
      save(kind === "csv" ? TABLES[figure.id]() : kind === "svg" ? new Blob([standalone(picture)], { type: "image/svg+xml" }) : await asPng(picture), name);
    });
  }
  for (const id of ["fan", "balance"]) {
    const figure = $(id);
    if (!figure) continue;
    const place = figure.querySelector(".place"), count = facts.months.length;
    const under = (e) => { const box = place.getBoundingClientRect(), p = (e.clientX - box.left - 58) / (box.width - 68); return Math.max(0, Math.min(count - 1, Math.floor(p * count))); };
    const look = (month) => { looked = month; read(); };
    place.addEventListener("pointermove", (e) => look(facts.months[under(e)]));
    place.addEventListener("pointerleave", () => look(null));
    place.addEventListener("click", (e) => { NOW.event.month = facts.months[under(e)]; ask(); refresh(); });
    figure.addEventListener("keydown", (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (!step || e.target !== figure) return;
      e.preventDefault();
      look(facts.months[Math.max(0, Math.min(count - 1, Number($("fan").dataset.at) + step))]);
    });
  }
  for (const radio of document.querySelectorAll("input[name=world]")) radio.addEventListener("change", () => { NOW.ranges = {}; NOW.without = new Set(); say(""); open(Number(radio.value)); });
  addEventListener("hashchange", fromAddress);
  let width = $("pictures").clientWidth;
  new ResizeObserver(() => { if (width !== (width = $("pictures").clientWidth)) soon(); }).observe($("pictures"));
}

/** The numbers of any position, for those who want them all: `await explorer.at({...})`. */
globalThis.explorer = {
  async at({ world, event, ranges = {}, without = [] }) {
    const place = facts.worlds.find((w) => w.label === world), asked = eventOf(event);
    await load(place);
    const found = weighted(place, { ranges, without }), row = rowOf(asked.quantity, asked.month);
    return { ...probability(place, { ...asked, row }, found.weights), k: found.k, ess: found.ess, lamp: found.lamp, quantiles: quantiles(place, row, found.weights, FIVE) };
  },
};

listen();
await fromAddress();
