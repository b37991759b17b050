// What acting, looking and auditing share: seeing, naming and finding elements. Every script runs in a scope of its own and
// leaves nothing in the page.

const normal = s => (s ?? '').replace(/\s+/g, ' ').trim();

const CLICKABLE = 'button, a[href], summary, input[type=checkbox], input[type=radio], input[type=button], input[type=submit], ' +
  'input[type=reset], input[type=image], [role=button], [role=link], [role=tab], [role=checkbox], [role=switch], [role=radio], ' +
  '[role=menuitem], [role=menuitemcheckbox], [role=menuitemradio], [role=option]';
const WRITABLE = 'input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=reset], [type=image], [type=hidden], [type=file]), ' +
  'textarea, [contenteditable=""], [contenteditable=true], [contenteditable=plaintext-only]';

// pathOf is a short selector by which a person finds the element again.
function pathOf(el) {
  const parts = [];
  for (let e = el; e && parts.length < 4; e = e.parentElement) {
    if (parts.length && (e === document.body || e === document.documentElement)) break;
    let part = e.localName;
    if (e.id) {
      parts.unshift(part + '#' + CSS.escape(e.id));
      break;
    }
    part += [...e.classList].slice(0, 2).map(c => '.' + CSS.escape(c)).join('');
    const alike = e.parentElement ? [...e.parentElement.children].filter(c => c.localName === e.localName) : [];
    if (alike.length > 1) part += `:nth-of-type(${alike.indexOf(e) + 1})`;
    parts.unshift(part);
  }
  return parts.join(' > ');
}

const rendered = el => el.checkVisibility({ visibilityProperty: true });

// tucked says that an element is there for screen readers alone: clipped to nothing, or moved out of the page.
function tucked(el) {
  for (let e = el; e && e !== document.body; e = e.parentElement) {
    const s = getComputedStyle(e), r = e.getBoundingClientRect();
    if (s.display === 'contents' || s.display === 'inline') continue;
    if ((r.width <= 1 || r.height <= 1) && s.overflow !== 'visible') return true;
    if (s.clipPath === 'inset(50%)' || s.clip === 'rect(0px, 0px, 0px, 0px)' || s.clip === 'rect(1px, 1px, 1px, 1px)') return true;
    if (r.right + scrollX <= 0 || r.bottom + scrollY <= 0) return true;
  }
  return false;
}

function visible(el) {
  const r = el.getBoundingClientRect();
  return rendered(el) && r.width > 0 && r.height > 0 && el.checkVisibility({ opacityProperty: true });
}

const disabled = el => el.matches(':disabled') || !!el.closest('[aria-disabled=true], [inert]');

// nameOf is the accessible name as the browser computes it.
const nameOf = el => normal(el.computedName);

// scopeOf returns the one element that a selector means, or why there is none.
function scopeOf(selector) {
  if (!selector) return document.body ? { el: document.body } : { why: 'the page has no body yet' };
  const all = [...document.querySelectorAll(selector)], seen = all.filter(rendered);
  if (seen.length === 1) return { el: seen[0] };
  if (seen.length > 1) return { why: `${seen.length} elements match the scope ${selector}` };
  return { why: all.length ? `the scope ${selector} is not visible` : `nothing matches the scope ${selector}` };
}

const frame = () => Promise.race([new Promise(requestAnimationFrame), new Promise(r => setTimeout(r, 60))]);

// until asks again whenever the document changes, and every 50 ms for what no mutation tells, until the answer is no failure
// or the time is over. Then the last failure is the answer.
async function until(ms, ask) {
  const end = performance.now() + ms;
  let woken = () => {};
  const watch = new MutationObserver(() => woken());
  watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  try {
    for (;;) {
      const answer = await ask();
      if (!answer.why || answer.final || performance.now() >= end) return answer;
      await new Promise(r => {
        const timer = setTimeout(r, 50);
        woken = () => { clearTimeout(timer); r(); };
      });
      await frame();
    }
  } finally {
    watch.disconnect();
  }
}
