// Keeps what is shown as the server has it. Every part that can change is a region with a name, or has a key in a list; a
// part is replaced only if what the server says of it has changed, so that nobody loses focus, scroll or words over it.

const served = new WeakMap() // a part of the page → as the server sent it
const status = document.getElementById('status')
let asked = 0 // requests that were made
let shown = { n: 0, ...document.body.dataset } // the one whose answer is shown, and the state of the world that it tells
let here = location.href // the place that the person wants to see; an answer about another one is not shown any more

const parts = root => root.querySelectorAll('[data-region], [data-keyed] > [data-key]')
const remember = (el, from = el) => { served.set(el, from.outerHTML) }

// show brings the page to what the server sent.
function show(next) {
  const focus = focusNow()
  for (const is of document.querySelectorAll('[data-region]')) {
    const be = next.querySelector(`[data-region="${CSS.escape(is.dataset.region)}"]`)
    if (be) swap(is, be)
  }
  for (const is of document.querySelectorAll('[data-keyed]')) {
    const be = next.querySelector(`[data-keyed="${CSS.escape(is.dataset.keyed)}"]`)
    if (be) reorder(is, be)
  }
  scrollable(next)
  const say = next.body.dataset.say // whose screen it is, how far the tour is, and what came of the clock: for whoever does not see it
  if (say !== document.body.dataset.say) status.textContent = document.body.dataset.say = say
  if (here !== location.href) history.pushState(null, '', here)
  if (!windows(focus)) refocus(focus)
}

// swap replaces a part if it changed. Opened details stay open.
function swap(is, be) {
  if (served.get(is) === be.outerHTML) return
  if (is.querySelector('dialog[open]:not([data-modal])')) return // somebody reads a question: after it
  const text = be.outerHTML
  for (const el of is.querySelectorAll('input[id]:not([type=hidden])')) { // what is being typed
    const to = be.querySelector(`#${CSS.escape(el.id)}`)
    if (to && el.value !== el.defaultValue && to.defaultValue === el.defaultValue) to.value = el.value
  }
  const opened = [...(is.matches('details') ? [is] : []), ...is.querySelectorAll('details')].filter(d => d.open).map(title)
  const side = is.dataset.place
  is.replaceWith(be)
  served.set(be, text)
  if (side !== undefined && side !== be.dataset.place) return
  for (const d of [...(be.matches('details') ? [be] : []), ...be.querySelectorAll('details')]) if (opened.includes(title(d))) d.open = true
}

const title = d => d.id || d.querySelector('summary')?.textContent

// reorder brings a list with keys into the server's order.
function reorder(is, be) {
  const old = new Map([...is.children].map(el => [el.dataset.key, el]))
  let before = is.firstElementChild
  for (const el of [...be.children]) {
    const have = old.get(el.dataset.key)
    old.delete(el.dataset.key)
    if (!have) {
      is.insertBefore(el, before)
      remember(el)
      continue
    }
    if (have === before) before = before.nextElementSibling
    else is.insertBefore(have, before)
    swap(have, el)
  }
  for (const el of old.values()) el.remove()
}

// scrollable keeps the newest message in sight, unless somebody reads further up, and says that it came.
function scrollable(next) {
  const is = document.querySelector('[data-scroll]'), be = next?.querySelector('[data-scroll]')
  if (!is || next && !be) return
  const other = be && be.dataset.scroll !== is.dataset.scroll
  const low = is.scrollHeight - is.scrollTop - is.clientHeight < 80 || Number(is.dataset.height || 0) - is.scrollTop - is.clientHeight < 80
  if (be && !other && be.dataset.newest !== is.dataset.newest && be.dataset.newest) status.textContent = be.dataset.newest
  if (be) {
    Object.assign(is.dataset, { scroll: be.dataset.scroll, newest: be.dataset.newest })
    is.toggleAttribute('data-top', 'top' in be.dataset) // a Home is read from its top
  }
  if ('top' in is.dataset) { if (!be || other) is.scrollTop = 0 } else if (!be || other || low) is.scrollTop = is.scrollHeight
  is.dataset.height = is.scrollHeight
}

// The focus stays on what has the same id, or else name and value, or else text, wherever its part was replaced.
function focusNow() {
  const el = document.activeElement
  if (!el || el === document.body) return null
  const caret = el.matches('input[type=text], input[type=search], input:not([type])') ? el.selectionStart : null
  return { el, caret, id: el.id, name: el.getAttribute('name'), value: el.getAttribute('value'), text: el.textContent, href: el.getAttribute('href'), tag: el.localName, near: el.closest('[data-key][id]')?.id, section: el.closest('section[id]')?.id }
}

function refocus(was) {
  if (!was || document.querySelector('dialog:modal')) return
  if (was.el.isConnected) {
    was.el.focus({ preventScroll: true })
    return
  }
  const near = was.near && document.getElementById(was.near) || document.getElementById(was.section || '')
  const same = was.id && document.getElementById(was.id) ||
    [...(near || document).querySelectorAll(was.tag)].find(el => was.href ? el.textContent === was.text : el.getAttribute('name') === was.name && el.getAttribute('value') === was.value && el.textContent === was.text)
  const to = same || near?.querySelector('button, a[href], input, summary') || near
  if (!to) return
  if (to === near) to.tabIndex = -1
  to.focus({ preventScroll: true })
  if (was.caret !== null && to === same) to.setSelectionRange(was.caret, was.caret)
}

// windows opens the modal that the server shows, with what was typed into it so far. When it is closed, the focus goes back to
// where it was before. It says whether it has moved the focus.
let opener = null
function windows(focus) {
  const w = document.querySelector('dialog[data-modal]')
  if (!w) {
    const back = opener
    opener = null
    if (back) refocus(back)
    return !!back
  }
  const opens = !w.open
  if (opens) {
    opener ??= focus || { el: document.getElementById('say') }
    w.showModal()
    const fields = ':is(input:not([type=hidden]), select, textarea)'
    const first = [`${fields}[aria-invalid=true]`, `[aria-invalid=true] ${fields}`, `.modalbody ${fields}`, '.modalbody button'].map(s => w.querySelector(s)).find(el => el)
    first?.focus()
    for (const el of w.querySelectorAll('[name^="in:"]')) {
      const kept = sessionStorage.getItem(typedIn(w, el))
      if (kept !== null && el.type !== 'radio' && el.type !== 'checkbox') el.value = kept
    }
  }
  return opens
}

// typedIn names what is typed into a field of a window of this world: the next one numbers its windows anew.
const typedIn = (w, el) => `${document.body.dataset.run} ${w.dataset.modal} ${el.name}`

// Nothing moves under a finger: what comes between press and release is shown after it.
let press = 0, pressed = false, released = Promise.resolve(), release = () => {}
addEventListener('pointerdown', e => {
  if (e.button !== 0) return
  press++
  if (pressed) return
  pressed = true
  released = new Promise(done => { release = done; setTimeout(done, longest) }).then(() => { pressed = false })
}, true)
const longest = 1000 // milliseconds: a scrollbar or a list that opens may swallow the release
for (const end of ['pointerup', 'pointercancel', 'blur']) {
  addEventListener(end, e => {
    if (end === 'blur' && e.target !== window) return
    const of = press
    setTimeout(() => { // after the click
      if (of !== press) return
      release()
    })
  }, true)
}

const silent = 'The demo does not answer. If it has ended, start it again with make demo.'
function lost(text) {
  status.textContent = text
  status.classList.add('lost')
  const w = document.querySelector('dialog:modal') // nothing behind it is seen or heard
  if (!w) return
  const p = w.querySelector('.lostline') || Object.assign(document.createElement('p'), { className: 'bad within lostline', role: 'alert' })
  p.textContent = text
  w.prepend(p)
}

// later says whether an answer tells of a later state of the world than what is shown; of the same one the later request counts,
// and of another world, too.
const later = (n, { run, version }) => run === shown.run && version !== shown.version ? Number(version) > Number(shown.version) : n > shown.n

// load asks the server for a page and shows it, unless a later one is there already or the person has gone elsewhere.
async function load(url, init) {
  const n = ++asked, from = here
  document.documentElement.setAttribute('aria-busy', 'true')
  try {
    const answer = await fetch(url, { cache: 'no-store', ...init }) // a cache lets one wait for the other
    const text = await answer.text()
    if (!answer.ok) throw new Error(text)
    while (pressed) await released
    if (here === from) {
      if (init) here = answer.url // where a click leads counts also if something later is shown by now
      const next = new DOMParser().parseFromString(text, 'text/html')
      if (later(n, next.body.dataset)) {
        shown = { n, ...next.body.dataset }
        show(next)
      } else if (here !== from) await load(here)
    }
    return true
  } catch (e) {
    lost(e instanceof TypeError ? silent : String(e.message || e))
    return false
  } finally {
    if (n === asked) document.documentElement.removeAttribute('aria-busy')
  }
}

// go shows another place.
function go(url) {
  here = url
  return load(url)
}

// A click that is under way is not made a second time, as in Slack, whose button waits for the answer.
const flying = new Set()

document.addEventListener('submit', async e => {
  const form = e.target, by = e.submitter
  e.preventDefault()
  if (by?.ariaDisabled === 'true') return // it keeps the focus until it can be pressed again
  by?.closest('dialog.bk-confirm')?.close()
  const data = new URLSearchParams(new FormData(form, by))
  const to = by?.getAttribute('formaction') || form.getAttribute('action')
  if (form.method === 'get') { go(new URL(`${to}?${data}`, here).href); return }
  const click = `${to} ${data}`
  if (flying.has(click)) return
  flying.add(click)
  by?.setAttribute('aria-busy', 'true')
  if (form.id === 'sayform') said(form.elements.text, '')
  if (!await load(to, { method: 'POST', body: data }) && form.id === 'sayform' && !form.elements.text.value) said(form.elements.text, data.get('text'))
  flying.delete(click)
  by?.removeAttribute('aria-busy')
})

// said empties the box at once, so that the next line can be typed, or brings back what could not be sent.
function said(box, text) {
  box.value = text
  sessionStorage.setItem(box.dataset.keep, text)
}

document.addEventListener('click', e => {
  const dialog = e.target.closest('[data-dialog]'), close = e.target.closest('[data-close]'), link = e.target.closest('a[href]')
  if (dialog) {
    const d = document.getElementById(dialog.dataset.dialog)
    d?.showModal()
    d?.addEventListener('close', () => load(here), { once: true }) // what changed meanwhile
  }
  if (close) close.closest('dialog')?.close()
  if (!link || !document.querySelector('[data-region]') || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || link.target) return
  const to = new URL(link.href)
  if (to.origin !== location.origin || to.pathname !== location.pathname || to.hash || link.getAttribute('href').startsWith('#')) return
  e.preventDefault()
  go(to.href)
})

// A choice in a message is made by choosing.
document.addEventListener('change', e => {
  const el = e.target.closest('select[data-use]')
  if (!el || !el.value) return
  const data = new URLSearchParams(new FormData(el.form))
  data.set('use', el.value)
  load(el.form.getAttribute('action'), { method: 'POST', body: data })
})

// What is typed survives a reload.
document.addEventListener('input', e => {
  const el = e.target, w = el.closest('dialog[data-modal]')
  if (el.dataset.keep) sessionStorage.setItem(el.dataset.keep, el.value)
  else if (w && el.name?.startsWith('in:')) sessionStorage.setItem(typedIn(w, el), el.value)
})

// Escape closes a menu, and so does a click elsewhere.
const menus = 'details.bk-overflow[open], details.shortcuts[open]'
document.addEventListener('keydown', e => {
  const menu = e.key === 'Escape' && e.target.closest?.(menus)
  if (!menu) return
  e.preventDefault() // the window around it stays open
  menu.open = false
  menu.querySelector('summary').focus()
})
document.addEventListener('pointerdown', e => {
  for (const d of document.querySelectorAll(menus)) if (!d.contains(e.target)) d.open = false
})

document.addEventListener('keydown', e => {
  const w = e.target.closest?.('dialog[data-modal]')
  if (!w || e.key !== 'Enter' || e.isComposing || !e.target.matches('input')) return
  e.preventDefault()
  const by = w.querySelector('[data-default]')
  by?.form.requestSubmit(by)
})

// Escape closes a modal as Slack does: the app hears of it, if it wants to.
document.addEventListener('cancel', e => {
  const by = e.target.matches('dialog[data-modal]') && e.target.querySelector('[data-escape]')
  if (!by) return
  e.preventDefault()
  by.form.requestSubmit(by)
}, true)

// Only one menu is open at a time.
document.addEventListener('toggle', e => {
  if (!e.target.matches('details.bk-overflow, details.shortcuts') || !e.target.open) return
  for (const d of document.querySelectorAll(menus)) if (d !== e.target) d.open = false
}, true)

addEventListener('popstate', () => { if (document.querySelector('[data-region]')) go(location.href) })

for (const el of parts(document)) remember(el)
for (const el of document.querySelectorAll('[data-keep]')) el.value = sessionStorage.getItem(el.dataset.keep) ?? el.value
scrollable(null)
windows(null)

// Whatever changes in the world is shown, a few times a second at most.
const pace = 150 // milliseconds
let due = false, again = false, version = document.body.dataset.version, leaving = false
addEventListener('pagehide', () => { leaving = true })
addEventListener('beforeunload', () => { leaving = true })
if (document.querySelector('[data-region]')) {
  const events = new EventSource('/events')
  events.addEventListener('error', () => { if (events.readyState !== EventSource.OPEN && !leaving) lost(silent) })
  events.addEventListener('message', e => {
    status.classList.remove('lost')
    if (e.data === version) return
    version = e.data
    again = true
    if (due) return
    due = true
    setTimeout(async () => {
      while (again) {
        again = false
        await load(here)
        await new Promise(next => setTimeout(next, pace))
      }
      due = false
    }, pace)
  })
}
