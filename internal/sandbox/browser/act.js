// Finding what a person would click or write into, and the guard that makes sure that a click hits what was found.

const GUARD = Symbol.for('keyturn.browser.guard');
const EVENTS = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'dblclick'];

// candidates are the visible elements of a kind with exactly that name; under a modal dialog only those within it.
function candidates(kind, scope, name) {
  const modal = [...document.querySelectorAll('dialog:modal')].pop();
  const near = [...scope.querySelectorAll(kind)].filter(el => !modal || modal.contains(el));
  const named = near.filter(el => nameOf(el) === name);
  return { near, named, seen: named.filter(el => visible(el) || (el.labels && [...el.labels].some(visible))) };
}

function one(kind, what, selector, name) {
  const scope = scopeOf(selector);
  if (scope.why) return { why: scope.why };
  const { near, named, seen } = candidates(kind, scope.el, name);
  const usable = seen.filter(el => !disabled(el));
  if (usable.length === 1) return { el: usable[0] };
  if (usable.length > 1) return { why: `${usable.length} ${what}s are named ${JSON.stringify(name)}: ${usable.map(pathOf).join(', ')}`, final: true };
  if (seen.length) return { why: `the ${what} ${JSON.stringify(name)} is disabled` };
  if (named.length) return { why: `the ${what} ${JSON.stringify(name)} is not visible` };
  const names = [...new Set(near.filter(visible).map(nameOf))].filter(n => n).slice(0, 40);
  return { why: `no ${what} is named ${JSON.stringify(name)}; there are: ${names.map(n => JSON.stringify(n)).join(', ') || 'none'}` };
}

const hits = (el, top) => !!top && (el === top || el.contains(top) || top.closest('label')?.control === el);

// place scrolls an element into view and returns the point to click, once it stands still and nothing covers it.
async function place(el) {
  const box = el.getBoundingClientRect().width > 1 && visible(el) ? el : [...(el.labels ?? [])].find(visible) ?? el;
  box.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  const before = box.getBoundingClientRect();
  await frame();
  const r = box.getBoundingClientRect();
  if (!el.isConnected || before.x !== r.x || before.y !== r.y) return { why: `${pathOf(el)} does not stand still` };
  const line = [...box.getClientRects()].find(q => q.width > 0 && q.height > 0) ?? r; // of a link over two lines, the first
  const x = line.x + line.width / 2, y = line.y + line.height / 2;
  const top = document.elementFromPoint(x, y);
  if (!hits(el, top)) return { why: `${pathOf(el)} is covered by ${top ? pathOf(top) : 'nothing that can be clicked'}` };
  return { x, y };
}

// find waits for the one thing to click, and guards the clicks to come.
const find = (ms, selector, name) => until(ms, async () => {
  const found = one(CLICKABLE, 'control', selector, name);
  if (found.why) return found;
  const at = await place(found.el);
  if (at.why) return at;
  if (disabled(found.el)) return { why: `the control ${JSON.stringify(name)} is disabled` };
  guard(found.el, selector, name);
  return at;
});

// guard swallows a click that would hit something else, as when the page moved between looking and clicking. What has the same
// name in the same scope counts as the same, as when the page was rendered anew.
function guard(el, selector, name) {
  window[GUARD]?.end();
  const state = { hit: 0, missed: '' };
  let pass = false;
  const topOf = e => e.composedPath().find(n => n.nodeType === 1);
  const fits = top => {
    const near = top?.closest(CLICKABLE);
    return hits(el, top) || (!!near && nameOf(near) === name && !!scopeOf(selector).el?.contains(near));
  };
  const on = e => {
    if (e.type === 'pointerdown') {
      const top = topOf(e);
      pass = fits(top);
      state.missed = pass ? 'what moved between the press and the release' : top ? pathOf(top) : 'nothing';
    }
    if (pass && e.type === 'click' && e.isTrusted && fits(topOf(e))) state.hit++; // a press alone does nothing
    if (pass || !e.isTrusted) return;
    e.preventDefault();
    e.stopImmediatePropagation();
  };
  for (const type of EVENTS) addEventListener(type, on, { capture: true, passive: false });
  state.end = () => {
    for (const type of EVENTS) removeEventListener(type, on, { capture: true });
    delete window[GUARD];
  };
  Object.defineProperty(window, GUARD, { value: state, configurable: true, enumerable: false });
}

// unguard returns what the clicks have hit. A page that was left answers nothing: it was hit.
function unguard() {
  const state = window[GUARD];
  state?.end();
  return { hit: state ? state.hit : 1, missed: state?.missed ?? '' };
}

// BY_VALUE are kinds of input whose keys depend on the browser's language: they get their value at once.
const BY_VALUE = ['date', 'time', 'datetime-local', 'month', 'week', 'color', 'range'];

function tell(el) {
  el.dispatchEvent(new Event('input', { bubbles: true }));
  el.dispatchEvent(new Event('change', { bubbles: true }));
}

// focusField waits for a field and selects all that is in it; one that takes no keys has its value at once.
const focusField = (ms, selector, label, text) => until(ms, async () => {
  const found = one(WRITABLE, 'field', selector, label);
  if (found.why) return found;
  const el = found.el;
  if (el.readOnly) return { why: `the field ${JSON.stringify(label)} is read-only` };
  el.scrollIntoView({ block: 'center', behavior: 'instant' });
  el.focus();
  if (document.activeElement !== el) return { why: `the field ${JSON.stringify(label)} takes no focus` };
  if (BY_VALUE.includes(el.type)) {
    el.value = text;
    tell(el);
    return { done: true, was: true };
  }
  if (el.select) el.select();
  else getSelection().selectAllChildren(el);
  return { was: normal(el.value ?? el.textContent) !== '' };
});

// written compares what the focused field holds.
function written(text) {
  const el = document.activeElement, has = el?.value ?? el?.textContent ?? '';
  return has === text ? {} : { why: `the field holds ${JSON.stringify(has)}` };
}

const choose = (ms, selector, label, option) => until(ms, async () => {
  const found = one('select', 'list', selector, label);
  if (found.why) return found;
  const all = [...found.el.options], hit = all.filter(o => normal(o.label) === option && !o.disabled);
  if (hit.length !== 1) {
    return { why: `${hit.length} options of ${JSON.stringify(label)} are ${JSON.stringify(option)}; there are: ${all.map(o => JSON.stringify(normal(o.label))).join(', ')}` };
  }
  found.el.scrollIntoView({ block: 'center', behavior: 'instant' });
  found.el.focus();
  if (!hit[0].selected) {
    hit[0].selected = true;
    tell(found.el);
  }
  return {};
});

// shows says whether a text is to be read in the scope.
function shows(selector, text) {
  const scope = scopeOf(selector);
  if (scope.why) return { why: scope.why };
  const all = normal(scope.el.innerText);
  return all.includes(text) ? {} : { why: `it reads: ${all.slice(0, 1500)}` };
}

const see = (ms, selector, text) => until(ms, () => shows(selector, text));
