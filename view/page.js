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
function select(row) {
  current()?.removeAttribute('aria-current')
  row.setAttribute('aria-current', 'true')
  row.querySelector('a')?.focus({ preventScroll: true })
  row.scrollIntoView({ block: 'nearest' })
  const beside = $('.beside')
  if (beside === null) return
  clearTimeout(loading)
  loading = setTimeout(() => show(row, beside), 120)
}

/** The difference beside the list, from the page that the row links to. */
async function show(row, beside) {
  const link = row.dataset.row
  const response = await fetch(link)
  if (!response.ok || row !== current()) return
  const found = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('.beside')
  if (found === null) return
  beside.replaceChildren(...document.adoptNode(found).childNodes)
  history.replaceState(null, '', link)
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
  location.assign(address)
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
  location.assign(`/${path}?${new URLSearchParams({ between: before, and: after })}`)
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

function parseRowProof(text) {
  const end = text.indexOf('\n\n')
  const [header, row, rows, ...lines] = text.slice(0, end).split('\n')
  if (header !== 'itemtrail.row-proof/v1') throw new Error('this is no row proof')
  const leaf = lines.filter(line => line.startsWith('= ')).map(line => line.slice(2))
  const rest = text.slice(end + 2)
  const middle = rest.indexOf('\n\n')
  const [kind, extra, index, ...path] = rest.slice(0, middle).split('\n')
  if (kind !== 'c2sp.org/tlog-proof@v1' || !extra.startsWith('extra '))
    throw new Error('the proof of the object is none')
  return {
    row: Number(row.slice(4)),
    rows: Number(rows.slice(5)),
    leaf: leaf.join('\n'),
    path: lines.slice(leaf.length).map(fromBase64),
    entry: fromBase64(extra.slice(6)),
    index: Number(index.slice(6)),
    way: path.map(fromBase64),
    checkpoint: rest.slice(middle + 2),
  }
}

async function checkNote(note, vkey) {
  const [name, id, encoded] = [vkey.split('+')[0], vkey.split('+')[1], vkey.split('+').slice(2).join('+')]
  const key = fromBase64(encoded)
  const at = note.lastIndexOf('\n\n')
  const text = note.slice(0, at + 1)
  const expected = hex((await sha256(join(bytesOf(`${name}\n`), key))).slice(0, 4))
  if (expected !== id) throw new Error('the key is not what its own name says')
  const lines = note.slice(at + 2).split('\n')
  const signatures = lines
    .filter(line => line.startsWith(`\u2014 ${name} `))
    .map(line => fromBase64(line.split(' ')[2]))
  const ours = signatures.find(bytes => hex(bytes.slice(0, 4)) === id)
  if (ours === undefined) throw new Error(`no signature is of ${name}`)
  const imported = await crypto.subtle.importKey('raw', key.slice(1), { name: 'Ed25519' }, false, ['verify'])
  const holds = await crypto.subtle.verify({ name: 'Ed25519' }, imported, ours.slice(4), bytesOf(text))
  if (!holds) throw new Error(`the signature is not of ${name}`)
  const [origin, size, root] = text.split('\n')
  if (origin !== name) throw new Error(`the checkpoint is of ${origin}, the key of ${name}`)
  return { origin, size: Number(size), root: fromBase64(root) }
}

async function verifyRowProof(text, vkey) {
  const proof = parseRowProof(text)
  const entry = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(proof.entry))
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

// receipts

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.keys(value)
    .sort()
    .map(name => `${JSON.stringify(name)}:${canonical(value[name])}`)
    .join(',')}}`
}

function leftOver(these, those) {
  const rest = new Map()
  for (const one of those) rest.set(one, (rest.get(one) ?? 0) + 1)
  return these.filter(one => {
    const n = rest.get(one) ?? 0
    rest.set(one, n - 1)
    return n <= 0
  })
}

async function checkReceipt(receipt) {
  const { receipt_sha256: said, ...rest } = receipt
  const found = hex(await sha256(bytesOf(canonical(rest))))
  const lines = [
    found === said ? '✓ the receipt is as it was written' : '✗ the receipt was edited: its own hash is another',
  ]
  const { query, table, parameters } = receipt.question
  if (query === null && receipt.statement.values.length > 0)
    return [...lines, '? SQL with values cannot be checked here: itemtrail rerun asks it again']
  const response = await fetch(
    query === null
      ? `/sql.json?${new URLSearchParams({ statement: receipt.statement.sql })}`
      : `/q/${encodeURIComponent(query)}.json?${new URLSearchParams({
          table,
          ...Object.fromEntries(parameters.map(([name, value]) => [name, String(value)])),
        })}`,
  )
  const now = await response.json()
  if (now.result === undefined)
    return [...lines, `? cannot be checked: ${now.error ?? 'the question is not answered here'}`]
  if (now.result.sha256 === receipt.result.sha256)
    return [...lines, `✓ SAME: the archive answers the same ${now.result.rows} rows today`]
  const [before, after] = [receipt.result.row_hashes, now.result.row_hashes]
  if (before === null || after === null)
    return [...lines, '✗ OTHER: the archive answers something else today; of so many rows it is not told which']
  const [gone, came] = [leftOver(before, after), leftOver(after, before)]
  const places = came.slice(0, 20).map(hash => after.indexOf(hash) + 1)
  const which = places.length === 0 ? '' : `: rows ${places.join(', ')} of today’s answer`
  return [...lines, `✗ OTHER: ${gone.length} rows of the receipt are gone, ${came.length} are new${which}`]
}

async function checkFiles(files, vkey) {
  const lines = []
  let receipt
  const others = []
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer())
    const text = new TextDecoder().decode(bytes.slice(0, 64))
    try {
      if (text.startsWith('itemtrail.row-proof/')) {
        if (vkey === '') lines.push(`? ${file.name} cannot be checked: nobody says whose key is believed`)
        else {
          const { checkpoint, hashes } = await verifyRowProof(new TextDecoder().decode(bytes), vkey)
          lines.push(`✓ PROVEN: ${file.name}, ${hashes} hashes, 1 signature of ${checkpoint.origin}`)
        }
      } else if (text.trimStart().startsWith('{') && new TextDecoder().decode(bytes).includes('"receipt_sha256"'))
        receipt = JSON.parse(new TextDecoder().decode(bytes))
      else others.push([file.name, hex(await sha256(bytes))])
    } catch (error) {
      lines.push(`✗ ${file.name}: ${error.message}`)
    }
  }
  if (receipt !== undefined) lines.push(...(await checkReceipt(receipt)))
  for (const [name, digest] of others) {
    const known = receipt?.files.find(({ sha256: known }) => known === digest)
    lines.push(
      receipt === undefined
        ? `? ${name} cannot be checked without its receipt`
        : known === undefined
          ? `✗ OTHER: ${name} is not what the receipt names`
          : `✓ SAME: ${name} is ${known.name} of the receipt, byte by byte`,
    )
  }
  return lines
}

// what is there from the beginning

document.documentElement.classList.add('js')
markPicked()

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
  const check = async files => {
    const output = $('#checked')
    output.replaceChildren()
    for (const line of await checkFiles(files, drop.dataset.vkey)) {
      const place = document.createElement('p')
      place.className = line.startsWith('✓') ? 'good' : line.startsWith('?') ? 'fair' : 'bad'
      place.textContent = line
      output.append(place)
    }
  }
  $('#files').addEventListener('change', event => check([...event.target.files]))
  drop.addEventListener('dragover', event => event.preventDefault())
  drop.addEventListener('drop', event => {
    event.preventDefault()
    check([...event.dataTransfer.files])
  })
}
