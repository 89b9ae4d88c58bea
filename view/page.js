// Keys, copying, the time zone, and proofs that check themselves. Without it every page works by links and forms.
// It writes text alone: nothing of an archive becomes markup here.

const $ = selector => document.querySelector(selector)
const all = selector => [...document.querySelectorAll(selector)]
const here = () => new URL(location.href)

function go(change) {
  const url = here()
  change(url.searchParams)
  location.assign(url)
}

/** An address of this page, in the time zone that is looked at: whoever goes on keeps the clock. */
function inZone(address) {
  const [zone, url] = [here().searchParams.get('tz'), new URL(address, location.href)]
  if (zone === null || url.searchParams.has('tz')) return address
  url.searchParams.set('tz', zone)
  return url.pathname + url.search
}

async function copy(text, button) {
  await navigator.clipboard.writeText(text)
  if (button === undefined) return
  const label = button.textContent
  button.textContent = 'copied'
  setTimeout(() => {
    button.textContent = label
  }, 1200)
}

// rows

const rows = () => all('[data-row]')
const current = () => $('[data-row][aria-current]')

let loading
function select(row, whenShown) {
  current()?.removeAttribute('aria-current')
  row.setAttribute('aria-current', 'true')
  row.querySelector('a')?.focus({ preventScroll: true })
  row.scrollIntoView({ block: 'nearest' })
  const beside = $('.beside')
  if (beside === null) return
  clearTimeout(loading)
  loading = setTimeout(() => show(row, beside).then(whenShown), 120)
}

/** The difference beside the list, from the page that the row links to; where there is none, that, and no other. */
async function show(row, beside) {
  const link = row.dataset.row
  const found = await besideOf(link).catch(error => error)
  if (row !== current()) return
  if (found instanceof Error) {
    const again = textIn('a', 'try again')
    again.href = link
    const failed = textIn('p', `✗ what this row changed could not be had: ${found.message}. `, 'note bad')
    failed.setAttribute('role', 'status')
    failed.append(again)
    beside.replaceChildren(failed)
    return
  }
  beside.replaceChildren(...document.adoptNode(found).childNodes)
  history.replaceState(null, '', link)
}

async function besideOf(link) {
  const response = await fetch(link)
  if (!response.ok) throw new Error(`the server answers with ${response.status}`)
  const found = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('.beside')
  if (found === null) throw new Error('the server answers with another page')
  return found
}

/** A click does what the keys do: the list stays where it is, and what lies below it on a narrow screen comes up. */
function chosenBy(event) {
  const link = event.target.closest?.('[data-row] a')
  const row = link?.closest('[data-row]')
  const isOther = event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
  if (row == null || isOther || link.getAttribute('href') !== row.dataset.row || $('.beside') === null) return
  event.preventDefault()
  select(row, () => {
    const beside = $('.beside')
    if (row === current() && beside.getBoundingClientRect().top > innerHeight) beside.scrollIntoView({ block: 'start' })
  })
}

function walk(step) {
  const list = rows()
  const at = list.indexOf(current())
  const next = list[at === -1 ? (step > 0 ? 0 : list.length - 1) : at + step]
  if (next !== undefined) select(next)
}

/** The way back leads to this row, though its difference may still be on the way. */
function open() {
  const { open: address, row } = current()?.dataset ?? {}
  if (address === undefined) return
  history.replaceState(null, '', row)
  location.assign(inZone(address))
}

// two moments to compare

const PICKED = 'itemtrail-picked'
const picked = () => JSON.parse(sessionStorage.getItem(PICKED) ?? '[]')

function pick(row = current()) {
  if (row?.dataset.pick === undefined) return
  const kept = picked().filter(text => text !== row.dataset.pick)
  if (kept.length === picked().length) kept.push(row.dataset.pick)
  sessionStorage.setItem(PICKED, JSON.stringify(kept.slice(-2)))
  markPicked()
}

function markPicked() {
  const chosen = picked()
  for (const row of rows()) {
    const isPicked = chosen.includes(row.dataset.pick)
    row.classList.toggle('picked', isPicked)
    row.querySelector('[data-pick-row]')?.setAttribute('aria-pressed', String(isPicked))
  }
  const button = $('[data-compare]')
  if (button === null) return
  button.disabled = pair() === undefined
  $('[data-picks]').textContent = toldOf(chosen)
}

/** The two that are picked; undefined where they are not two, or of two items. */
function pair() {
  const [first, second] = picked().map(text => /^(\S+) (.*) (\S+)$/s.exec(text))
  if (!first || !second || first[1] !== second[1] || first[2] !== second[2]) return undefined
  return [first, second]
}

function toldOf(chosen) {
  if (chosen.length < 2) return `${chosen.length} of 2 picked, by the circle beside an id`
  return pair() === undefined ? 'the two picked are of two items, of which nothing is compared' : '2 of 2 picked'
}

function compare() {
  const two = pair()
  if (two === undefined) return
  const [first, second] = two
  const [before, after] = [first[3], second[3]].sort()
  const path = ['t', first[1], 'i', first[2]].map(encodeURIComponent).join('/')
  location.assign(inZone(`/${path}?${new URLSearchParams({ between: before, and: after })}`))
}

// keys

const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone
function nextZone() {
  const zone = here().searchParams.get('tz') ?? 'UTC'
  if (zone === 'UTC' && LOCAL !== 'UTC') return go(search => search.set('tz', LOCAL))
  if (zone === LOCAL) return $('#tz')?.select()
  return go(search => search.delete('tz'))
}

function narrow() {
  const place = $('#narrow')
  if (place?.matches('details')) place.open = true
  place?.querySelector('input:not([type=hidden]), textarea')?.focus()
}

const ACTIONS = {
  j: () => walk(1),
  ArrowDown: () => walk(1),
  k: () => walk(-1),
  ArrowUp: () => walk(-1),
  Enter: open,
  Escape: () => history.back(),
  '/': narrow,
  '[': () => $('a[rel=prev]')?.click(),
  ']': () => $('main a[rel=next]')?.click(),
  x: pick,
  d: compare,
  t: nextZone,
  r: () => $('[data-raw]')?.click(),
  w: () => $('[data-w]')?.click(),
  y: () => copy(location.href, $('[data-copy-link]') ?? undefined),
  c: () => $('[data-copy-command]')?.click(),
  p: () => print(),
  '?': () => $('#keys').showModal(),
}

addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || $('dialog[open]') !== null) return
  const { target } = event
  if (target.matches?.('input, textarea, select')) {
    if (event.key === 'Escape') target.blur()
    return
  }
  // a link or a button that has the focus is opened by Enter itself, but for the one of the row
  if (event.key === 'Enter' && target.matches?.('a, button, summary') && target.closest('[data-row]') === null) return
  const action = ACTIONS[event.key]
  if (action === undefined || (event.key.startsWith('Arrow') && rows().length === 0)) return
  event.preventDefault()
  action()
})

document.addEventListener('click', event => {
  const link = event.target.closest?.('a[href^="/"]')
  link?.setAttribute('href', inZone(link.getAttribute('href')))
  chosenBy(event)
  const button = event.target.closest?.('button')
  if (button == null) return
  const { dataset } = button
  if (dataset.copy !== undefined) copy(dataset.copy, button)
  if (dataset.copyLink !== undefined) copy(location.href, button)
  if (dataset.print !== undefined) print()
  if (dataset.keys !== undefined) $('#keys').showModal()
  if (dataset.verify !== undefined) verifyHere(button.closest('[data-proof]'))
  if (dataset.compare !== undefined) compare()
  if (dataset.pickRow !== undefined) pick(button.closest('[data-row]'))
})

document.addEventListener('submit', ({ target: form }) => {
  const zone = here().searchParams.get('tz')
  if (zone === null || form.method !== 'get' || form.elements.tz !== undefined) return
  const field = document.createElement('input')
  Object.assign(field, { type: 'hidden', name: 'tz', value: zone })
  form.append(field)
})

// all that is folded away is printed, too
addEventListener('beforeprint', () => {
  for (const fold of all('details:not([open])')) {
    fold.open = true
    fold.dataset.opened = ''
  }
})
addEventListener('afterprint', () => {
  for (const fold of all('details[data-opened]')) fold.open = false
})

// proofs: RFC 6962 trees and a signed note, as docs/receipts.md and the specifications say them

const bytesOf = text => new TextEncoder().encode(text)
const fromBase64 = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0))
const hex = bytes => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
const sha256 = async bytes => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const leafHash = bytes => sha256(join([0], bytes))

async function rootBy(leaf, index, size, path) {
  let [at, last, hash] = [index, size - 1, leaf]
  if (index >= size) throw new Error('the proof is of a place that the tree does not have')
  for (const step of path) {
    if (last === 0) throw new Error('the way is longer than the tree is high')
    if (at % 2 === 1 || at === last) {
      hash = await sha256(join([1], step, hash))
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2)
        last = Math.floor(last / 2)
      }
    } else hash = await sha256(join([1], hash, step))
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  if (last !== 0) throw new Error('the way ends before the root')
  return hash
}

// read as strictly as `itemtrail verify proof` reads it

/** Bytes of base64 in its one form. */
function decodeLine(line = '', what = 'a line') {
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(line) ? fromBase64(line) : undefined
  if (bytes === undefined || btoa(String.fromCharCode(...bytes)) !== line) throw new Error(`${what} is no base64`)
  return bytes
}

function hashesIn(lines, what) {
  const hashes = lines.map(line => decodeLine(line, what))
  if (hashes.length > 63 || hashes.some(({ length }) => length !== 32)) throw new Error(`${what} is of no hashes`)
  return hashes
}

function countIn(line, name) {
  const [, decimal] = /^[a-z]+ (0|[1-9]\d*)$/.exec(line ?? '') ?? []
  if (!line?.startsWith(`${name} `) || decimal === undefined || !Number.isSafeInteger(Number(decimal)))
    throw new Error(`the line of ${name} is no whole number`)
  return Number(decimal)
}

function parseRowProof(text) {
  if (text.length > 64 * 1024) throw new Error('this is too long for a row proof')
  const end = text.indexOf('\n\n')
  const [header, row, rows, ...lines] = text.slice(0, Math.max(0, end)).split('\n')
  if (header !== 'itemtrail.row-proof/v1') throw new Error('this is no row proof')
  const leaf = lines.filter(line => line.startsWith('= ')).map(line => line.slice(2))
  if (leaf.length === 0) throw new Error('the proof has no leaf')
  const rest = text.slice(end + 2)
  const middle = rest.indexOf('\n\n')
  const [kind, extra = '', index, ...path] = rest.slice(0, Math.max(0, middle)).split('\n')
  if (kind !== 'c2sp.org/tlog-proof@v1' || !extra.startsWith('extra '))
    throw new Error('the proof of the object is none')
  return {
    row: countIn(row, 'row'),
    rows: countIn(rows, 'rows'),
    leaf: leaf.join('\n'),
    path: hashesIn(lines.slice(leaf.length), 'the way to the object'),
    entry: decodeLine(extra.slice(6), 'the entry'),
    index: countIn(index, 'index'),
    way: hashesIn(path, 'the way to the checkpoint'),
    checkpoint: rest.slice(middle + 2),
  }
}

const SIGNATURE = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/

/** A note that is one: a text, an empty line, and lines of signatures alone. */
function parseNote(note) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x09\x0b-\x1f]/.test(note)) throw new Error('the checkpoint has control characters')
  const at = note.lastIndexOf('\n\n')
  if (at === -1 || !note.endsWith('\n')) throw new Error('the checkpoint has no signatures')
  const lines = note.slice(at + 2, -1).split('\n')
  const signatures = lines.map(line => {
    const [, name, encoded] = SIGNATURE.exec(line) ?? []
    const bytes = name === undefined || name.includes('+') ? new Uint8Array() : decodeLine(encoded, 'a signature')
    if (bytes.length < 5) throw new Error(`the checkpoint has the line ${JSON.stringify(line)}`)
    return { name, id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) }
  })
  if (signatures.length > 100) throw new Error('the checkpoint has too many signatures')
  return { text: note.slice(0, at + 1), signatures }
}

function parseCheckpoint(text) {
  const [origin, decimal, encoded, ...rest] = text.split('\n')
  if (rest.at(-1) !== '' || rest.slice(0, -1).includes('')) throw new Error('the checkpoint is none')
  const size = countIn(`size ${decimal}`, 'size')
  const root = decodeLine(encoded, 'the root of the checkpoint')
  if (root.length !== 32) throw new Error('the root of the checkpoint is no hash')
  return { origin, size, root }
}

async function checkNote(note, vkey) {
  const [name, id, encoded] = [vkey.split('+')[0], vkey.split('+')[1], vkey.split('+').slice(2).join('+')]
  const key = decodeLine(encoded, 'the key')
  const expected = hex((await sha256(join(bytesOf(`${name}\n`), key))).slice(0, 4))
  if (expected !== id) throw new Error('the key is not what its own name says')
  if (key[0] !== 1 || key.length !== 33) throw new Error('the key is no Ed25519 key of a log')
  const { text, signatures } = parseNote(note)
  const ours = signatures.filter(one => one.name === name && one.id === id)
  if (ours.length === 0) throw new Error(`no signature is of ${name}`)
  const imported = await crypto.subtle.importKey('raw', key.slice(1), { name: 'Ed25519' }, false, ['verify'])
  for (const { signature } of ours)
    if (!(await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, bytesOf(text))))
      throw new Error(`the signature is not of ${name}`)
  const checkpoint = parseCheckpoint(text)
  if (checkpoint.origin !== name) throw new Error(`the checkpoint is of ${checkpoint.origin}, the key of ${name}`)
  return checkpoint
}

function entryIn(bytes) {
  const entry = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  const isOfRows = Number.isSafeInteger(entry?.rows) && /^[0-9a-f]{64}$/.test(String(entry?.rows_root))
  if (entry?.type !== 'object@1' || typeof entry.key !== 'string' || !isOfRows)
    throw new Error('the proof carries no entry of an object with rows')
  return entry
}

async function verifyRowProof(text, vkey) {
  const proof = parseRowProof(text)
  const entry = entryIn(proof.entry)
  if (entry.rows !== proof.rows) throw new Error(`the proof is of ${proof.rows} rows, its object has ${entry.rows}`)
  const leaf = bytesOf(proof.leaf)
  const root = await rootBy(await leafHash(leaf), proof.row, proof.rows, proof.path)
  if (hex(root) !== entry.rows_root) throw new Error('the row does not lead to the root over its object')
  const checkpoint = await checkNote(proof.checkpoint, vkey)
  const top = await rootBy(await leafHash(proof.entry), proof.index, checkpoint.size, proof.way)
  if (hex(top) !== hex(checkpoint.root)) throw new Error('the object does not lead to the root of the checkpoint')
  const hashes = proof.path.length + proof.way.length + 2
  return { ...proof, entry, checkpoint, hashes, rowHash: hex(await leafHash(leaf)) }
}

async function verifyHere(place) {
  const output = place.querySelector('output')
  try {
    const { hashes, checkpoint, row, rows, rowHash } = await verifyRowProof(place.dataset.proof, place.dataset.vkey)
    if (place.dataset.rowHash !== '' && place.dataset.rowHash !== rowHash)
      throw new Error('it is a proof of another row')
    output.textContent = `✓ PROVEN: row ${row + 1} of ${rows}, ${hashes} hashes, 1 signature of ${checkpoint.origin} over ${checkpoint.size} entries`
    output.className = 'good'
  } catch (error) {
    output.textContent = `✗ NOT PROVEN: ${error.message}`
    output.className = 'bad'
  }
}

// papers: the server judges them, as the command line does; of other files it is told the hash

const MARKS = { good: '✓', bad: '✗', fair: '?' }

async function formOf(files, agreed) {
  const form = new FormData()
  const others = []
  for (const file of files) {
    const isProof = (await file.slice(0, 20).text()) === 'itemtrail.row-proof/'
    const bytes = new Uint8Array(await file.arrayBuffer())
    if (isProof) form.append('proof', file, file.name)
    else if (isReceipt(bytes)) form.append('receipt', file, file.name)
    else others.push({ name: file.name, bytes: bytes.length, sha256: hex(await sha256(bytes)) })
  }
  form.append('dropped', JSON.stringify({ files: others, agreed }))
  return form
}

function isReceipt(bytes) {
  const text = new TextDecoder().decode(bytes)
  return text.trimStart().startsWith('{') && (text.includes('"receipt_sha256"') || text.includes('itemtrail-receipt/'))
}

async function checkFiles(files, agreed = []) {
  try {
    const response = await fetch('/check', { method: 'POST', body: await formOf(files, agreed) })
    const answer = await response.json().catch(() => ({ error: `the server answers with ${response.status}` }))
    if (answer.checked !== undefined) return answer.checked
    return files.map(({ name }) => ({ name, mark: 'fair', lines: [`cannot be checked: ${answer.error}`] }))
  } catch (error) {
    return files.map(({ name }) => ({ name, mark: 'fair', lines: [`cannot be checked: ${error.message}`] }))
  }
}

function textIn(tag, text, name = '') {
  const element = document.createElement(tag)
  element.textContent = text
  element.className = name
  return element
}

/** What came of a file; a receipt that waits for somebody's word shows what would run. */
function resultOf({ name, mark, lines: [first, ...rest], ask }, again) {
  const place = document.createElement('div')
  place.append(textIn('p', `${MARKS[mark]} ${name}: ${first}`, mark), ...rest.map(line => textIn('p', line, 'any')))
  if (ask === undefined) return place
  const button = textIn('button', 'I have read it: run it')
  button.type = 'button'
  button.addEventListener('click', () => again(ask.agree))
  place.append(textIn('p', ask.why, 'note'), textIn('pre', ask.sql))
  if (ask.values !== '[]') place.append(textIn('p', `with the values ${ask.values}`, 'any'))
  place.append(button)
  return place
}

// what is there from the beginning

document.documentElement.classList.add('js')
markPicked()
// whoever comes back is where they were
if (performance.getEntriesByType('navigation')[0]?.type === 'back_forward') current()?.querySelector('a')?.focus()

const isPending = place => place.querySelector('[data-pending]') !== null

/** What was still being found out takes its place when it is known: nothing else on the page moves. */
async function lookAgain() {
  const response = await fetch(location.href)
  if (!response.ok) return location.reload()
  const found = new DOMParser().parseFromString(await response.text(), 'text/html')
  for (const place of all('[data-later]').filter(isPending)) {
    const fresh = found.querySelector(`[data-later="${CSS.escape(place.dataset.later)}"]`)
    if (fresh === null) return location.reload()
    if (!isPending(fresh) || place.dataset.later === 'days') place.replaceWith(document.adoptNode(fresh))
  }
  if ($('[data-pending]') !== null) setTimeout(lookAgain, 1500)
}

if ($('[data-pending]') !== null) setTimeout(lookAgain, 1500)

for (const slider of all('[data-slider]')) {
  const times = JSON.parse(slider.dataset.times)
  slider.addEventListener('input', () => {
    slider.form.elements[slider.dataset.slider].value = times[Number(slider.value)]
  })
}

const drop = $('#drop')
if (drop !== null) {
  let turn = 0
  const check = async (files, agreed = []) => {
    const output = $('#checked')
    turn += 1
    const mine = turn
    output.replaceChildren(textIn('p', 'it is being checked', 'quick'))
    const checked = await checkFiles(files, agreed)
    // other files were dropped meanwhile
    if (mine !== turn) return
    output.replaceChildren(...checked.map(one => resultOf(one, agree => check(files, [...agreed, agree]))))
  }
  $('#files').addEventListener('change', event => check([...event.target.files]))
  drop.addEventListener('dragover', event => event.preventDefault())
  drop.addEventListener('drop', event => {
    event.preventDefault()
    check([...event.dataTransfer.files])
  })
}
