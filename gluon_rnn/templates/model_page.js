// What is clicked and shown on the page of a model; the network is in model_network.js.
'use strict';

const $ = id => document.getElementById(id);
const model = JSON.parse($('model').textContent);
const network = new Network(model, decodeWeights($('weights').textContent, model.dtype));
const END = model.vocabulary.includes('\n') ? '\n' : ' ';       // the book's lyrics have a space where a line ends
const BETWEEN_0_AND_1 = ['Z', 'R', 'I', 'F', 'O'];
const say = (en, zh) => document.documentElement.dataset.lang === 'zh' ? zh : en;

let reading = null;             // the text written
let typed = null;               // the text typed in
let shown = null;               // the one that was clicked last
let chosen = 0;                 // which of its characters
let unit = null;                // the unit that colours the text
let task = 0;                   // grows when what is being written is to stop

function visible(char) {
  return char === ' ' ? '␣' : char === '\n' ? '↵' : char;
}

function element(name, options, ...children) {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
}

/** From blue (least) over white to red (most); a number from -1 to 1. */
function colour(value) {
  const part = Math.round(255 * (1 - 0.6 * Math.min(Math.abs(value), 1)));
  return value < 0 ? `rgb(${part}, ${Math.min(part + 30, 255)}, 255)` : `rgb(255, ${Math.min(part + 10, 255)}, ${part})`;
}

function scaled(values) {
  if (BETWEEN_0_AND_1.includes($('part').value)) return Array.from(values, x => 2 * x - 1);
  const most = Math.max(1e-9, ...Array.from(values, Math.abs));
  return Array.from(values, x => x / most);
}

// ------------------------------------------------------------------------------------------------------------------ texts

function addCharacter(box, which, t) {
  const { index, written } = which.characters[t], char = model.vocabulary[index];
  const span = element('span', { className: 'char', textContent: char === '\n' ? '' : char, tabIndex: -1 });
  if (!written && which === reading) span.classList.add('given');
  if (char.trim() === '') span.classList.add('space');
  if (char === '\n') span.classList.add('line');
  span.onclick = () => choose(which, t);
  box.append(span);
}

const boxOf = which => which === typed ? $('typed_text') : $('written');

function choose(which, t) {
  [shown, chosen] = [which, t];
  paintInside();
  showRivals();
}

function showRivals() {
  if (!shown || !shown.characters.length) return;
  const { index, rivals, p } = shown.characters[chosen], it = visible(model.vocabulary[index]);
  $('rivals_about').textContent = p === null ? say(`“${it}” is the first character: nothing stood before it.`, `“${it}”是第一个字，之前没有内容。`)
    : say(`In the place of “${it}” (${chosen + 1}) the most likely were:`, `在“${it}”（第 ${chosen + 1} 个字）的位置，最可能的是：`);
  const rows = rivals.some(([i]) => i === index) || p === null ? rivals : [...rivals, [index, p]];
  $('rivals').replaceChildren(...rows.map(([i, q]) => {
    const bar = element('div', {});
    bar.style.width = `${100 * q}%`;
    return element('tr', { className: i === index ? 'it' : '' }, element('td', { textContent: visible(model.vocabulary[i]) }),
      element('td', { className: 'bar' }, bar), element('td', { className: 'n', textContent: percent(q) }));
  }));
}

function percent(p) {
  return p >= 0.0001 ? `${(100 * p).toFixed(2)} %` : `${(100 * p).toExponential(1)} %`;
}

// ------------------------------------------------------------------------------------------------------------------ writing

/** Read the beginning anew, or go on, and write `length` characters, one in each picture of the screen. */
function write(anew) {
  const asked = Math.round(Number($('length').value)), mine = ++task;
  const temperature = document.querySelector('[name=how]:checked').value === 'drawn' ? Number($('temperature').value) : 0;
  if (!(asked >= 1 && asked <= 2000)) return note('write_note', say('from 1 to 2000 characters, please', '字数须在 1 到 2000 之间'));
  if (anew || !reading) {
    reading = new Reading(network);
    const unknown = reading.read($('prefix').value);
    $('written').replaceChildren();
    if (!reading.characters.length) {
      reading = null;
      return note('write_note', unknown.length ? unknownNote(unknown)
        : say('the beginning is empty: type at least one character', '开头是空的：请至少输入一个字'));
    }
    note('write_note', unknown.length ? unknownNote(unknown) : '');
    reading.characters.forEach((_, t) => addCharacter($('written'), reading, t));
  }
  $('stop').disabled = false;
  const end = reading.characters.length + asked;
  const next = () => {
    if (mine !== task) return;
    reading.write(temperature);
    addCharacter($('written'), reading, reading.characters.length - 1);
    $('written').scrollTop = $('written').scrollHeight;
    choose(reading, reading.characters.length - 1);
    reading.characters.length < end ? requestAnimationFrame(next) : stop();
  };
  next();
}

function stop() {
  task++;
  $('stop').disabled = true;
  showFound();
}

function note(id, text) {
  $(id).textContent = text;
}

function unknownNote(unknown) {
  const list = unknown.map(visible).join(' ');
  return say(`not in its vocabulary, left out: ${list}`, `词表中没有，已略去：${list}`);
}

// ------------------------------------------------------------------------------------------------------------------- inside

function paintInside() {
  const part = $('part').value, layer = Number($('layer').value), boxes = [reading, typed].filter(Boolean);
  if (!shown) return;
  const values = scaled(shown.characters[chosen].layers[layer][part]);
  [...$('units').children].forEach((button, i) => {
    button.style.background = colour(values[i]);
    button.classList.toggle('chosen', i === unit);
  });
  for (const which of boxes) {
    const told = unit === null ? null : scaled(which.values(layer, part, unit));
    [...boxOf(which).children].forEach((span, t) => {
      span.style.background = told ? colour(told[t]) : which === typed ? surpriseColour(which.characters[t].p) : '';
      span.classList.toggle('chosen', which === shown && t === chosen);
    });
  }
  $('redder').hidden = unit !== null;      // then the colours of the typed text are the unit's
  $('unit_about').textContent = unit === null ? '' : say('unit', '单元') + ` ${unit + 1}, ${part}: `
    + shown.characters[chosen].layers[layer][part][unit].toFixed(3);
}

function surpriseColour(p) {
  return p === null ? '' : colour(Math.min(-Math.log2(p) / 12, 1));
}

function chooseUnit(i) {
  unit = i === unit ? null : i;
  paintInside();
}

function showFound() {
  if (!shown) return;
  const layer = Number($('layer').value), part = $('part').value;
  for (const [id, numbers] of [['counting', shown.positions(END)], ['ending', shown.endings(END)]]) {
    const found = shown.strongest(layer, part, numbers);
    $(id).replaceChildren(...found.map(([i, r]) => element('button', { type: 'button', onclick: () => chooseUnit(i),
      textContent: `${i + 1}: ${r.toFixed(2)}` })), found.length ? '' : say('the text has too few line ends', '文本中的句末太少'));
  }
}

function newPart() {
  paintInside();
  showFound();
}

// ----------------------------------------------------------------------------------------------------------------- surprise

function readTyped() {
  const unknown = (typed = new Reading(network)).read($('typed').value);
  note('typed_note', unknown.length ? unknownNote(unknown) : '');
  $('typed_text').replaceChildren();
  typed.characters.forEach((_, t) => addCharacter($('typed_text'), typed, t));
  const { count, bits, perplexity } = typed.surprise();
  $('typed_about').textContent = count ? say(`${count} characters after the first: ${bits.toFixed(2)} bits each, perplexity ${perplexity.toFixed(2)}`,
    `第一个字之后共 ${count} 个字：平均每字 ${bits.toFixed(2)} 比特，困惑度 ${perplexity.toFixed(2)}`) : '';
  if (typed.characters.length) choose(typed, typed.characters.length - 1), showFound();
  else if (shown && shown !== reading) shown = reading, chosen = 0, paintInside();
}

// ------------------------------------------------------------------------------------------------------------------- the page

function showLanguage(language) {
  document.documentElement.dataset.lang = document.documentElement.lang = language;
  $('language').textContent = language === 'en' ? '中文' : 'English';
  document.querySelectorAll('.end_name').forEach(span => { span.textContent = say(`(${visible(END)})`, `（${visible(END)}）`); });
  showRivals();
  if (typed) readTyped();
  else showFound();
}

$('prefix').value = model.prefix;
for (let k = 0; k < model.settings.num_layers; k++) $('layer').append(new Option(k + 1, k));
for (const part of { rnn: ['H'], gru: ['H', 'Z', 'R', 'H_tilde'], lstm: ['H', 'C', 'I', 'F', 'O', 'C_tilde'] }[model.settings.cell])
  $('part').append(new Option(part.replace('_tilde', '\u0303'), part));
for (let i = 0; i < model.settings.num_hiddens; i++)
  $('units').append(element('button', { type: 'button', title: i + 1, ariaLabel: i + 1, onclick: () => chooseUnit(i) }));
$('write').onclick = () => write(true);
$('more').onclick = () => write(false);
$('stop').onclick = stop;
$('temperature').oninput = () => {
  $('temperature_shown').value = Number($('temperature').value).toFixed(2);
  document.querySelector('[value=drawn]').checked = true;
};
$('layer').onchange = $('part').onchange = newPart;
$('no_unit').onclick = () => chooseUnit(null);
$('typed').oninput = readTyped;
$('language').onclick = () => showLanguage(document.documentElement.dataset.lang === 'en' ? 'zh' : 'en');
$('prefix').onkeydown = event => { if (event.key === 'Enter') write(true); };
document.onkeydown = event => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !shown || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) return;
  event.preventDefault();
  choose(shown, Math.min(Math.max(chosen + step, 0), shown.characters.length - 1));
};
showLanguage(location.hash === '#zh' || (location.hash !== '#en' && /^zh/.test(navigator.language)) ? 'zh' : 'en');
write(true);
