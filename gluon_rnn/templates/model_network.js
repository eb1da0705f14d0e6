// The network of the page: the equations of chapter 6 for one text, character by character. Nothing here knows the page.
'use strict';

const sigmoid = x => 1 / (1 + Math.exp(-x));
const ACTIVATIONS = { tanh: Math.tanh, relu: x => Math.max(x, 0), sigmoid };
const GATES = { rnn: ['h'], gru: ['z', 'r', 'h'], lstm: ['i', 'f', 'o', 'c'] };

/** A half-precision number, from its 16 bits. */
function halfToNumber(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The numbers that a base64 text holds, little-endian, as float32. dtype: 'float16' or 'float32'. */
function decodeWeights(base64, dtype) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  if (dtype === 'float32') return new Float32Array(bytes.buffer);
  const table = Float32Array.from({ length: 65536 }, (_, bits) => halfToNumber(bits));
  return Float32Array.from(new Uint16Array(bytes.buffer), bits => table[bits]);
}

class Network {
  /** model: {settings, vocabulary, dtype, params: [[name, shape], ...]}; weights: all of them one after another. */
  constructor(model, weights) {
    this.settings = model.settings;
    this.vocabulary = model.vocabulary;
    this.params = {};
    let start = 0;
    for (const [name, shape] of model.params) {
      const size = shape.reduce((a, b) => a * b, 1);
      this.params[name] = { data: weights.subarray(start, start + size), rows: shape[0], columns: shape[shape.length - 1] };
      start += size;
    }
  }

  /** The state before the first character: of each layer H, for the LSTM also C, all zeros. */
  beginState() {
    const { num_layers: layers, num_hiddens: n, cell } = this.settings;
    return Array.from({ length: layers }, () => cell === 'lstm' ? { H: new Float64Array(n), C: new Float64Array(n) }
      : { H: new Float64Array(n) });
  }

  /**
   * Read one character. Returns the logits of the next one, and of each layer what is inside: H, and the gates by their names.
   * The layers are the state that the next call takes; the one given is left as it is.
   */
  step(index, state) {
    let X = null, layers = [];      // the first layer reads a one-hot vector: the product is a row of W_x
    for (let k = 0; k < this.settings.num_layers; k++) {
      const prefix = this.settings.num_layers > 1 ? `layer${k}.` : '';
      const layer = this[this.settings.cell](prefix, gate => this.input(prefix, gate, index, X), state[k]);
      X = this.settings.residual && k ? X.map((x, j) => x + layer.H[j]) : layer.H;
      layers.push(layer);
    }
    return { logits: this.product(X, 'W_hq', this.bias('b_q')), layers };
  }

  rnn(prefix, input, { H }) {
    const phi = ACTIVATIONS[this.settings.activation];
    return { H: this.product(H, `${prefix}W_hh`, input('h')).map(phi) };
  }

  gru(prefix, input, { H }) {
    const Z = this.product(H, `${prefix}W_hz`, input('z')).map(sigmoid);
    const R = this.product(H, `${prefix}W_hr`, input('r')).map(sigmoid);
    let H_tilde;
    if (this.settings.reset_after) {
      const inner = this.product(H, `${prefix}W_hh`, this.bias(`${prefix}b_hh`, H.length));
      H_tilde = input('h').map((x, j) => Math.tanh(x + R[j] * inner[j]));
    } else {
      H_tilde = this.product(H.map((h, j) => R[j] * h), `${prefix}W_hh`, input('h')).map(Math.tanh);
    }
    return { H: H_tilde.map((h, j) => Z[j] * H[j] + (1 - Z[j]) * h), Z, R, H_tilde };
  }

  lstm(prefix, input, { H, C }) {
    const [I, F, O, C_tilde] = GATES.lstm.map(gate => this.product(H, `${prefix}W_h${gate}`, input(gate))
      .map(gate === 'c' ? Math.tanh : sigmoid));
    const C_next = C.map((c, j) => F[j] * c + I[j] * C_tilde[j]);
    return { H: C_next.map((c, j) => O[j] * Math.tanh(c)), C: C_next, I, F, O, C_tilde };
  }

  /** X W_x + b of a gate, where X is the layer below, or the one-hot vector of a character. */
  input(prefix, gate, index, X) {
    const sum = this.bias(`${prefix}b_${gate}`), name = `${prefix}W_x${gate}`;
    if (X) return this.product(X, name, sum);
    const { data, columns } = this.params[name];
    for (let j = 0; j < columns; j++) sum[j] += data[index * columns + j];
    return sum;
  }

  /** A copy of a bias, to add to; zeros where the network has none. */
  bias(name, size) {
    return name in this.params ? Float64Array.from(this.params[name].data) : new Float64Array(size);
  }

  /** sum + X W, in place. */
  product(X, name, sum) {
    const { data, rows, columns } = this.params[name];
    for (let i = 0; i < rows; i++) {
      const x = X[i];
      if (x) for (let j = 0, at = i * columns; j < columns; j++) sum[j] += x * data[at + j];
    }
    return sum;
  }
}

/** softmax(logits / temperature). */
function softmax(logits, temperature = 1) {
  const most = logits.reduce((a, b) => Math.max(a, b)), p = logits.map(x => Math.exp((x - most) / temperature));
  const total = p.reduce((a, b) => a + b);
  return p.map(x => x / total);
}

/** Indices of the count largest numbers, largest first; the first of equals before the others. */
function largest(numbers, count) {
  const chosen = [];
  numbers.forEach((x, i) => {
    let k = chosen.length;
    while (k && numbers[chosen[k - 1]] < x) k--;
    if (k < count) chosen.splice(k, 0, i), chosen.length = Math.min(chosen.length, count);
  });
  return chosen;
}

/** An index drawn from probabilities; random: a number from 0 to below 1. */
function draw(p, random) {
  let i = 0;
  for (let rest = random; i < p.length - 1 && rest >= p[i]; i++) rest -= p[i];
  return i;
}

/**
 * A text that grows: it reads characters one after another and remembers, of each, how likely it was, its likeliest rivals and
 * everything inside the network after reading it.
 */
class Reading {
  constructor(network) {
    this.network = network;
    this.state = network.beginState();
    this.logits = null;         // of the next character; null before the first
    this.characters = [];       // {index, written, p, rivals: [[index, p], ...], layers}
    this.indexOf = new Map(network.vocabulary.map((char, i) => [char, i]));
  }

  /** Read a text. Returns the characters that are not in the vocabulary; they are left out. */
  read(text) {
    const unknown = new Set();
    for (const char of text) this.indexOf.has(char) ? this.add(this.indexOf.get(char), false) : unknown.add(char);
    return [...unknown];
  }

  /** Write one character: the likeliest, or with a temperature a drawn one. */
  write(temperature, random = Math.random) {
    const p = temperature && softmax(this.logits, temperature);
    this.add(temperature ? draw(p, random()) : largest(this.logits, 1)[0], true);
  }

  add(index, written) {
    const p = this.logits && softmax(this.logits);
    const { logits, layers } = this.network.step(index, this.state);
    this.characters.push({ index, written, layers, p: p ? p[index] : null, rivals: p ? largest(p, 5).map(i => [i, p[i]]) : [] });
    this.state = layers;
    this.logits = logits;
  }

  text() {
    return this.characters.map(c => this.network.vocabulary[c.index]).join('');
  }

  /** Surprise of the text from its second character on: bits a character, and the perplexity that they come to. */
  surprise() {
    const told = this.characters.filter(c => c.p !== null), bits = told.map(c => -Math.log2(c.p));
    const mean = bits.length ? bits.reduce((a, b) => a + b) / bits.length : 0;
    return { count: bits.length, bits: mean, perplexity: 2 ** mean };
  }

  /** What one unit was after each character. */
  values(layer, part, unit) {
    return this.characters.map(c => c.layers[layer][part][unit]);
  }

  /**
   * The units of a part that go most with a number told of each character (`numbers`; null: leave it out): [unit, correlation],
   * strongest first. Empty where the numbers are all the same, or fewer than three.
   */
  strongest(layer, part, numbers, count = 5) {
    const kept = numbers.map((_, t) => t).filter(t => numbers[t] !== null);
    const wanted = kept.map(t => numbers[t]), units = this.network.settings.num_hiddens, found = [];
    for (let unit = 0; unit < units; unit++) {
      const r = correlation(kept.map(t => this.characters[t].layers[layer][part][unit]), wanted);
      if (r !== null) found.push([unit, r]);
    }
    return found.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, count);
  }

  /** Of each character, how many stand between it and the last `end` before it, from 0; null before the first `end`. */
  positions(end) {
    let since = null;
    return this.characters.map(c => {
      if (this.network.vocabulary[c.index] === end) return (since = 0), null;
      return since === null ? null : since++;
    });
  }

  /** Of each character 1 where `end` comes next, 0 where another does, null for the last. */
  endings(end) {
    return this.characters.map((_, t) => t + 1 === this.characters.length ? null
      : Number(this.network.vocabulary[this.characters[t + 1].index] === end));
  }
}

/** Pearson's correlation; null where there are fewer than three numbers, or all of one kind are the same. */
function correlation(a, b) {
  if (a.length < 3) return null;
  const mean = v => v.reduce((x, y) => x + y, 0) / v.length, ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return aa > 1e-18 && bb > 1e-18 ? ab / Math.sqrt(aa * bb) : null;
}
