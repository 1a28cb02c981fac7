// Weights of the draws at a position, as estimator.fitting.reweighting works them out: ratios of
// priors on the link scale, likelihoods of what is taken out, Pareto smoothing (Vehtari and others,
// 2024, JMLR 25), and quantiles linear between the middles of the steps of the weighted draws.

const Z95 = 1.6448536269514722; // standard normal quantile of 0.95: a range holds 90 of 100
const FEWEST = 25; // draws without which no tail is fitted

function link(value, slider) {
  const scaled = value / slider.per;
  return slider.share ? Math.log(scaled / (1 - scaled)) : Math.log(scaled);
}

function unlink(x, slider) {
  return (slider.share ? 1 / (1 + Math.exp(-x)) : Math.exp(x)) * slider.per;
}

/** Location and scale of the prior with 90 of 100 between two values. */
function normalOf([low, high], slider) {
  const a = link(low, slider), b = link(high, slider);
  return [(a + b) / 2, (b - a) / 2 / Z95];
}

/** Draws of a world, row by row: four planes of bytes, deflated, as text. */
async function decoded(text, rows, draws) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = rows.length * draws, bytes = new Uint8Array(4 * size);
  for (let plane = 0; plane < 4; plane++)
    for (let i = 0; i < size; i++) bytes[4 * i + plane] = planes[plane * size + i];
  const all = new Float32Array(bytes.buffer);
  return new Map(rows.map((name, n) => [name, all.subarray(n * draws, (n + 1) * draws)]));
}

/** Log of the unnormalised posterior at a position over the density of the draws. */
function logRatio(world, ranges, without) {
  const ratio = Float64Array.from(world.draws.get("own"));
  for (const slider of world.sliders) {
    if (!ranges[slider.key]) continue;
    const [m, s] = normalOf(ranges[slider.key], slider), [m0, s0] = slider.own;
    const x = world.draws.get("linear " + slider.key), shift = Math.log(s0) - Math.log(s);
    for (let i = 0; i < ratio.length; i++) {
      const z = (x[i] - m) / s, z0 = (x[i] - m0) / s0;
      ratio[i] += shift - 0.5 * (z * z - z0 * z0);
    }
  }
  for (const name of without) {
    const change = world.draws.get("without " + name);
    for (let i = 0; i < ratio.length; i++) ratio[i] += change[i];
  }
  return ratio;
}

function logSumExp(values) {
  let most = -Infinity, sum = 0;
  for (const v of values) most = Math.max(most, v);
  for (const v of values) sum += Math.exp(v - most);
  return most + Math.log(sum);
}

/** Shape and scale of a generalized Pareto distribution (Zhang and Stephens 2009), with the prior. */
function paretoFit(tail) {
  const n = tail.length, m = 30 + Math.floor(Math.sqrt(n));
  const quarter = tail[Math.floor(n / 4 + 0.5) - 1], most = tail[n - 1];
  if (quarter <= tail[0]) return [NaN, NaN];
  const meanLog = (b) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.log1p(-b * tail[i]);
    return sum / n;
  };
  const b = new Float64Array(m), score = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    b[i] = (1 - Math.sqrt(m / (i + 0.5))) / (3 * quarter) + 1 / most;
    const k = meanLog(b[i]);
    score[i] = n * (Math.log(-b[i] / k) - k - 1);
  }
  const total = logSumExp(score);
  let sum = 0, mean = 0;
  for (let i = 0; i < m; i++) {
    const weight = Math.exp(score[i] - total);
    if (weight >= 10 * Number.EPSILON) { sum += weight; mean += b[i] * weight; }
  }
  const at = mean / sum, k = meanLog(at);
  const shape = (n * k + 5) / (n + 10);
  return Number.isNaN(shape) ? [Infinity, NaN] : [shape, -k / at];
}

/** Replace the largest log ratios by what a Pareto tail has in their place; return k-hat. */
function smoothTail(ratio, order) {
  const n = order.length, size = n > 225 ? Math.floor(3 * Math.sqrt(n)) : Math.floor(n / 5);
  const most = ratio[order[n - 1]], first = n - size;
  const cutoff = Math.exp(ratio[order[first - 1]] - most);
  const tail = new Float64Array(size);
  for (let i = 0; i < size; i++) tail[i] = Math.exp(ratio[order[first + i]] - most) - cutoff;
  const [k, sigma] = paretoFit(tail);
  if (!Number.isFinite(k) || !(sigma > 0)) return Infinity;
  for (let i = 0; i < size; i++) {
    const p = Math.log1p(-(i + 0.5) / size);
    const value = cutoff + sigma * (k === 0 ? -p : Math.expm1(-k * p) / k);
    ratio[order[first + i]] = Math.min(Math.log(value), 0) + most;
  }
  return k;
}

/** Weights that sum to 1, k-hat, and the effective size of the weights alone. */
function smoothed(ratio) {
  const draws = ratio.length, possible = [];
  for (let i = 0; i < draws; i++) {
    if (!(ratio[i] < Infinity)) return unreached(draws);
    if (ratio[i] > -Infinity) possible.push(i);
  }
  const n = possible.length;
  if (n === 0) return unreached(draws);
  const order = sortedBy(possible, ratio);
  const size = Math.floor(Math.min(n / 5, 3 * Math.sqrt(n)));
  const largest = ratio[order[n - 1]];
  const flat = largest - ratio[order[0]] < 1e-9;
  const flatTail = n >= FEWEST && largest - ratio[order[n - Math.max(size, 1)]] < 1e-9;
  const k = flat || flatTail ? 0 : n < FEWEST ? Infinity : smoothTail(ratio, order);
  const weights = new Float64Array(draws);
  let sum = 0, squares = 0;
  for (const i of possible) sum += weights[i] = Math.exp(ratio[i] - largest);
  for (const i of possible) { weights[i] /= sum; squares += weights[i] * weights[i]; }
  return { weights, k, kish: 1 / squares };
}

function unreached(draws) {
  return { weights: new Float64Array(draws).fill(1 / draws), k: Infinity, kish: 1 };
}

function sortedBy(indices, values) {
  return Uint32Array.from(indices).sort((a, b) => values[a] - values[b]);
}

/** What sorts the draws of a row; kept, since only weights change. */
function orderOf(world, name) {
  if (!world.orders.has(name)) {
    const values = world.draws.get(name), keys = new Float64Array(values.length);
    const bits = new Int32Array(Float32Array.from(values).buffer);
    // A float's bits, turned so that they rise with it, and behind them the place of the draw.
    for (let i = 0; i < keys.length; i++) {
      const rising = bits[i] < 0 ? -(bits[i] & 0x7fffffff) : bits[i];
      keys[i] = rising * 131072 + i;
    }
    keys.sort();
    world.orders.set(name, Uint32Array.from(keys, (key) => key - Math.floor(key / 131072) * 131072));
  }
  return world.orders.get(name);
}

/** Quantiles of weighted draws; probabilities rise. */
function quantiles(world, name, weights, probabilities) {
  const values = world.draws.get(name), order = orderOf(world, name), n = order.length;
  const found = [];
  let total = 0, before = -Infinity, last = values[order[0]];
  for (let i = 0; i < n && found.length < probabilities.length; i++) {
    const weight = weights[order[i]], middle = total + 0.5 * weight, value = values[order[i]];
    while (found.length < probabilities.length && middle > probabilities[found.length]) {
      const p = probabilities[found.length];
      found.push(before === -Infinity ? value : last + ((p - before) / (middle - before)) * (value - last));
    }
    total += weight; before = middle; last = value;
  }
  while (found.length < probabilities.length) found.push(values[order[n - 1]]);
  return found;
}

/** Probability of an event, and its Monte-Carlo standard error. */
function probability(world, event, weights) {
  const values = world.draws.get(event.row);
  let p = 0, variance = 0;
  const happens = (v) => (event.below ? v < event.threshold : v > event.threshold);
  for (let i = 0; i < values.length; i++) if (happens(values[i])) p += weights[i];
  for (let i = 0; i < values.length; i++)
    variance += (weights[i] * ((happens(values[i]) ? 1 : 0) - p)) ** 2;
  return { p, error: Math.sqrt(variance / world.relative_ess) };
}

/** How far weights can be trusted. */
function lampOf(world, found, bounds) {
  const ess = found.kish * world.relative_ess;
  if (!(found.k <= bounds.max_k_hat && ess >= bounds.min_ess)) return "refused";
  const good = found.k <= bounds.good_k_hat && ess >= bounds.good_ess && !world.failures;
  return good ? "good" : "rough";
}
