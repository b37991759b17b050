// What is wrong with a page as it stands: a list of findings, each with its kind, the element, and the figures.

const INTERACTIVE = CLICKABLE + ', ' + WRITABLE + ', select, input[type=file], iframe';
const FOCUSABLE = 'a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex], [contenteditable=""], [contenteditable=true]';
const FIELD = 'input:not([type=button], [type=submit], [type=reset], [type=image], [type=hidden]), select, textarea';

const quiet = el => !!el.closest('[aria-hidden=true], [inert]');
const each = (kind, check) => [...document.querySelectorAll(kind)].filter(el => rendered(el) && !quiet(el)).forEach(check);
const refs = (el, attribute) => (el.getAttribute(attribute) ?? '').split(/\s+/).filter(id => id);

// outside says that a modal dialog is open and the element is not in it: nobody can use it, and nobody hears its name.
function outside(el) {
  const modal = [...document.querySelectorAll('dialog:modal')].pop();
  return !!modal && !modal.contains(el);
}

function names(add) {
  each(INTERACTIVE + ', dialog[open], [role=dialog], [role=alertdialog]', el => {
    if (!outside(el) && !nameOf(el)) add('name', el, `the ${el.localName === 'iframe' ? 'frame has no title' : el.localName + ' has no accessible name'}`);
  });
  each('svg[role=img], [role=img]', el => { if (!outside(el) && !nameOf(el)) add('name', el, 'the image has no accessible name'); });
  each('img', el => {
    if (!el.hasAttribute('alt') && !/^(none|presentation)$/.test(el.getAttribute('role') ?? '')) add('name', el, 'the image has no alt');
  });
}

function labels(add) {
  each(FIELD, el => {
    if (!el.labels?.length && !normal(el.getAttribute('aria-label')) && !refs(el, 'aria-labelledby').length) add('label', el, `the ${el.localName} has no label`);
  });
  for (const el of document.querySelectorAll('label')) {
    if (rendered(el) && !el.control) add('label', el, `the label ${JSON.stringify(normal(el.textContent))} belongs to nothing`);
  }
  for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-errormessage']) {
    for (const el of document.querySelectorAll(`[${attribute}]`)) {
      for (const id of refs(el, attribute)) {
        if (!document.getElementById(id)) add('label', el, `${attribute} names #${id}, which is not there`);
      }
    }
  }
}

function structure(add) {
  const root = document.documentElement, ids = new Map();
  for (const el of document.querySelectorAll('[id]')) ids.set(el.id, [...ids.get(el.id) ?? [], el]);
  for (const [id, all] of ids) {
    if (all.length > 1) add('id', all[1], `${all.length} elements have the id ${JSON.stringify(id)}`);
  }
  let last = 0, first = 0;
  each('h1, h2, h3, h4, h5, h6, [role=heading]', el => {
    const level = +(el.getAttribute('aria-level') ?? el.localName[1] ?? 2);
    if (last && level > last + 1) add('heading', el, `a heading of level ${level} follows one of level ${last}: ${JSON.stringify(normal(el.textContent).slice(0, 40))}`);
    last = level;
    if (level === 1) first++;
  });
  if (first !== 1) add('heading', root, `${first} headings of level 1`);
  const mains = [...document.querySelectorAll('main, [role=main]')].filter(rendered).length;
  if (mains !== 1) add('main', root, `${mains} main landmarks`);
  if (!normal(root.lang)) add('lang', root, 'the page has no language');
  if (!normal(document.title)) add('title', root, 'the page has no title');
}

function focus(add) {
  for (const el of document.querySelectorAll('[tabindex]')) {
    if (el.tabIndex > 0) add('tabindex', el, `tabindex is ${el.tabIndex}`);
  }
  for (const el of document.querySelectorAll(FOCUSABLE)) {
    if (el.closest('[aria-hidden=true]') && el.tabIndex >= 0 && rendered(el) && !disabled(el)) add('hidden', el, 'it takes the focus and is hidden from screen readers');
  }
}

// inText says that a link stands in a line of text.
function inText(el) {
  if (getComputedStyle(el).display !== 'inline') return false;
  let block = el.parentElement;
  while (block && getComputedStyle(block).display.startsWith('inline')) block = block.parentElement;
  const links = [...block?.querySelectorAll('a[href], button') ?? []].map(a => normal(a.textContent)).join('').replace(/\s/g, '');
  return normal(block?.textContent).replace(/\s/g, '').length > links.length;
}

function sizes(add) {
  each(INTERACTIVE, el => {
    if (disabled(el) || tucked(el) || !visible(el) || el.localName === 'iframe') return;
    if (/^(checkbox|radio)$/.test(el.type) && el.labels?.length) return;
    if (el.matches('a[href], [role=link]') && inText(el)) return;
    const r = el.getBoundingClientRect(), tenth = v => Math.round(v * 10) / 10;
    if (tenth(r.width) < 24 || tenth(r.height) < 24) add('size', el, `${tenth(r.width)} by ${tenth(r.height)} px of 24 by 24`);
  });
}

function overflow(add, width) {
  const limit = Math.min(innerWidth, width), wide = document.scrollingElement.scrollWidth;
  if (wide <= limit) return;
  const clipped = el => {
    for (let e = el.parentElement; e && e !== document.body; e = e.parentElement) {
      if (getComputedStyle(e).overflowX !== 'visible') return true;
    }
    return false;
  };
  const over = [...document.body.querySelectorAll('*')]
    .map(el => ({ el, right: Math.round(el.getBoundingClientRect().right + scrollX) }))
    .filter(o => o.right > limit && rendered(o.el) && !clipped(o.el))
    .sort((a, b) => b.right - a.right || b.el.compareDocumentPosition(a.el) & Node.DOCUMENT_POSITION_PRECEDING);
  const worst = over.slice(0, 3).map(o => `${pathOf(o.el)} to ${o.right} px`).join(', ');
  add('overflow', over[0]?.el ?? document.documentElement, `the page is ${wide} px wide in ${limit} px: ${worst || 'no element explains it'}`);
}

// settled waits for the animations that end.
async function settled() {
  const ending = document.getAnimations().filter(a => Number.isFinite(a.effect?.getComputedTiming().endTime) && a.playState === 'running');
  await Promise.race([Promise.allSettled(ending.map(a => a.finished)), new Promise(r => setTimeout(r, 3000))]);
}

// audit looks at everything, or at the contrast alone.
async function audit(width, contrastOnly) {
  const findings = [];
  const add = (kind, el, text) => findings.push({ kind, at: pathOf(el), text });
  await frame();
  await settled();
  if (!contrastOnly) for (const check of [names, labels, structure, focus, sizes, a => overflow(a, width)]) check(add);
  contrast(add);
  return findings;
}
