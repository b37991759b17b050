// The contrast of every text with what is behind it, by WCAG 2.2.

const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
const colours = new Map();

// colour reads any CSS colour as sRGB from 0 to 255 and an alpha from 0 to 1.
function colour(css) {
  let c = colours.get(css);
  if (!c) colours.set(css, c = readColour(css));
  return c;
}

function readColour(css) {
  const amount = s => s.endsWith('%') ? parseFloat(s) / 100 : s === 'none' ? 0 : parseFloat(s);
  const parts = (css.match(/\(([^()]*)\)/)?.[1] ?? '').split(/[\s,/]+/).filter(s => s);
  if (/^rgba?\(/.test(css)) return [...parts.slice(0, 3).map(parseFloat), parts[3] ? amount(parts[3]) : 1];
  if (/^color\(srgb /.test(css)) return [...parts.slice(1, 4).map(s => 255 * Math.min(1, Math.max(0, amount(s)))), parts[4] ? amount(parts[4]) : 1];
  const [opaque, alpha] = css.includes('/') ? [css.replace(/\s*\/[^)]*/, ''), amount(css.split('/')[1].replace(')', '').trim())] : [css, 1];
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = opaque;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3), alpha];
}

// over lays a colour on another one.
function over(top, below) {
  const a = top[3] + below[3] * (1 - top[3]);
  if (a === 0) return [0, 0, 0, 0];
  return [...[0, 1, 2].map(i => (top[i] * top[3] + below[i] * below[3] * (1 - top[3])) / a), a];
}

function luminance(c) {
  const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

// behind are the fills of the shapes of an SVG that lie under a text of it.
function behind(el) {
  const svg = el.closest('svg'), r = el.getBoundingClientRect();
  let acc = [0, 0, 0, 0];
  for (const shape of svg?.querySelectorAll('rect, circle, ellipse, path, polygon') ?? []) {
    const m = shape.getScreenCTM();
    if (!m || !(shape.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING) || shape.closest('defs') || !rendered(shape)) continue;
    const p = new DOMPoint(r.x + r.width / 2, r.y + r.height / 2).matrixTransform(m.inverse());
    const s = getComputedStyle(shape);
    if (s.fill === 'none' || !shape.isPointInFill(p)) continue;
    if (s.fill.startsWith('url')) return { unknown: 'a pattern of ' + pathOf(shape) };
    const [r8, g8, b8, a] = colour(s.fill);
    acc = over([r8, g8, b8, a * s.fillOpacity * s.opacity], acc);
  }
  return { acc };
}

// pixels composes a text and what is behind it up to the canvas, each group with its opacity.
function pixels(el, css, alpha, base) {
  const [r, g, b, a] = colour(css);
  let text = [r, g, b, a * alpha], back = [0, 0, 0, 0];
  if (el.closest('svg')) {
    const under = behind(el);
    if (under.unknown) return under;
    text = over(text, under.acc);
    back = under.acc;
  }
  for (let e = el; e; e = e.parentElement) {
    const s = getComputedStyle(e);
    if (back[3] < 0.999 && !(e instanceof SVGElement && e.localName !== 'svg')) {
      const under = colour(s.backgroundColor);
      if (s.backgroundImage !== 'none') return { unknown: `the background image of ${pathOf(e)}` };
      text = over(text, under);
      back = over(back, under);
    }
    const o = parseFloat(s.opacity);
    text = [text[0], text[1], text[2], text[3] * o];
    back = [back[0], back[1], back[2], back[3] * o];
  }
  return { text: over(text, base), back: over(back, base) };
}

// canvasColour is what lies under everything in the scheme that the page takes, asked through a property that nothing uses.
function canvasColour() {
  const root = document.documentElement, ask = root.animate({ columnRuleColor: ['Canvas', 'Canvas'] }, 1000);
  ask.pause();
  const css = getComputedStyle(root).columnRuleColor;
  ask.cancel();
  return css;
}

const hex = c => '#' + c.slice(0, 3).map(v => Math.round(v).toString(16).padStart(2, '0')).join('');

// inactive controls and their labels are exempt.
function inactive(el) {
  const control = el.closest('label')?.control;
  return disabled(el) || (!!control && disabled(control));
}

// texts lists everything that is read: the element, its colour, and the words.
function* texts() {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const el = n.parentElement, words = normal(n.data);
    if (!words || /^(script|style|noscript|template|option|optgroup|textarea|title|desc)$/.test(el.localName)) continue;
    range.selectNodeContents(n);
    const r = range.getBoundingClientRect();
    if (r.width === 0 || r.height === 0 || !visible(el)) continue;
    const s = getComputedStyle(el);
    yield { el, words, css: el instanceof SVGElement ? s.fill : s.webkitTextFillColor, alpha: el instanceof SVGElement ? +s.fillOpacity : 1, s };
  }
  for (const el of document.querySelectorAll('input, textarea, select')) {
    if (!visible(el) || /^(hidden|checkbox|radio|range|color|image|file)$/.test(el.type)) continue;
    const s = getComputedStyle(el), hint = getComputedStyle(el, '::placeholder');
    const value = el.localName === 'select' ? el.selectedOptions[0]?.label : el.value;
    if (normal(value)) yield { el, words: normal(value), css: s.color, alpha: 1, s };
    else if (normal(el.placeholder)) yield { el, words: 'placeholder ' + normal(el.placeholder), css: hint.color, alpha: +hint.opacity, s };
  }
}

function contrast(add) {
  const told = new Set(), base = colour(canvasColour());
  for (const { el, words, css, alpha, s } of texts()) {
    if (inactive(el) || tucked(el)) continue;
    const quote = JSON.stringify(words.slice(0, 40)), p = css.startsWith('url') ? { unknown: 'a pattern as its colour' } : pixels(el, css, alpha, base);
    const size = parseFloat(s.fontSize), large = size >= 24 || (size >= 18.66 && +s.fontWeight >= 700);
    const need = large ? 3 : 4.5;
    let what;
    if (p.unknown) what = `${quote}: unknown, for ${p.unknown}`;
    else if (ratio(p.text, p.back) < need) what = `${quote}: ${(Math.floor(ratio(p.text, p.back) * 100) / 100).toFixed(2)} of ${need}, ${hex(p.text)} on ${hex(p.back)}, ${size}px`;
    const key = what && pathOf(el) + what.slice(quote.length);
    if (!what || told.has(key)) continue;
    told.add(key);
    add('contrast', el, what);
  }
}
