/** Journals, keys, kept checkpoints, proofs and bundles that somebody edited, or time damaged. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { archiveOf } from '../cli/command-line.js'
import { streamsRecord } from '../factories.js'
import { WITNESS_VKEY } from '../proof/vectors.js'
import { damage, damaged, FUZZ_TIMEOUT, fuzz, Place } from './harness.js'

const place = new Place()
afterAll(() => place.remove())
vi.stubEnv('XDG_STATE_HOME', join(place.inside, 'state'))

const file = (name: string) => join(place.inside, name)
const ORIGIN = 'fuzz.example/orders'
const PERIOD = ['--from', '2026-01-01T00:00:00Z', '--to', '2100-01-01T00:00:00Z']

/** What somebody does to a text: lines of it come twice, go, change places, or have another number. */
const textEdit = fc.record({
  line: fc.nat(100),
  how: fc.constantFrom('none', 'none', 'remove', 'repeat', 'swap', 'number', 'white', 'steer'),
  number: fc.constantFrom('0', '-1', '01', '1e3', '9007199254740993', '18446744073709551615', '3', '\u0663'),
})
type TextEdit = typeof textEdit extends fc.Arbitrary<infer T> ? T : never

function editedText(bytes: Uint8Array, { line, how, number }: TextEdit): Buffer {
  if (how === 'none') return Buffer.from(bytes)
  const lines = Buffer.from(bytes).toString('latin1').split('\n')
  const at = line % lines.length
  const text = lines[at] as string
  if (how === 'remove') lines.splice(at, 1)
  else if (how === 'repeat') lines.splice(at, 0, text)
  else if (how === 'swap') lines.push(...lines.splice(at, 1))
  else if (how === 'number') lines[at] = text.replace(/\d+/, number)
  else if (how === 'white') lines[at] = `${text} \r`
  else lines[at] = `${text}\u001b[2K\u0000`
  return Buffer.from(lines.join('\n'), 'latin1')
}

/** What happens to one file of a folder. */
const deed = fc.record({
  file: fc.nat(10_000),
  how: fc.constantFrom('damage', 'damage', 'damage', 'remove', 'copy', 'folder', 'empty'),
  damage,
  edit: textEdit,
})
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
    .sort()

/** True where something is another than before. */
function perform(folder: string, { file: number, how, damage, edit }: Deed): boolean {
  const files = filesIn(folder)
  const path = files[number % files.length] as string
  const other = files[(number * 7 + 1) % files.length] as string
  const before = readFileSync(path)
  rmSync(path)
  if (how === 'remove') return true
  if (how === 'folder') mkdirSync(path)
  else {
    const bytes =
      how === 'copy' && other !== path
        ? readFileSync(other)
        : how === 'empty'
          ? Buffer.alloc(0)
          : damaged(editedText(before, edit), damage)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
    return !bytes.equals(before)
  }
  return true
}

describe('of somebody else', { timeout: FUZZ_TIMEOUT }, () => {
  let root: string
  let vkey: string
  let kept: Buffer
  let proof: Buffer
  let event: string
  let receipt: Buffer
  const key = file('seal.key')
  beforeAll(async () => {
    const record = (id: string, n: number) =>
      streamsRecord({
        eventID: `${id}-${n}`,
        SequenceNumber: `${n}`,
        Keys: { order_id: { S: id } },
        NewImage: { order_id: { S: id }, status: { S: 'PAID' } },
      })
    root = await archiveOf([record('A1', 1), record('A2', 2), record('A3', 3)])
    vkey = (await place.guard(['seal', '--init', '--key', key, '--origin', ORIGIN, '--archive', root])).out.trim()
    for (let times = 0; times < 3; times++)
      expect((await place.guard(['seal', '--key', key, '--archive', root])).exit).toBe(0)
    kept = Buffer.from((await place.guard(['checkpoint', '--archive', root])).out)
    const { out } = await place.guard(['sql', 'select event_id from orders', '--format', 'json', '--archive', root])
    event = /[0-9a-f]{32}/.exec(out)?.[0] as string
    proof = Buffer.from((await place.guard(['prove', 'Orders', event, '--key', vkey, '--archive', root])).out)
    expect(proof.length).toBeGreaterThan(500)
    const asked = ['query', 'changes-between', 'Orders', '--param', 'from=2026-01-01T00:00:00Z', '--archive', root]
    expect(
      (await place.guard([...asked, '--param', 'to=2100-01-01T00:00:00Z', '--receipt', file('receipt')])).exit,
    ).toBe(0)
    receipt = readFileSync(file('receipt'))
    const sample = ['sample', 'Orders', '--n', '2', '--seed', 'x', ...PERIOD, '--archive', root, '--key', vkey]
    expect((await place.guard([...sample, '--evidence', file('bag')])).exit).toBe(0)
  })

  let runs = 0
  const copyOf = (folder: string) => {
    const copy = file(`copy-${++runs}`)
    cpSync(folder, copy, { recursive: true, preserveTimestamps: true })
    return copy
  }

  it('a journal is told, by every command that reads it', () =>
    fuzz(fc.array(deed, { minLength: 1, maxLength: 2 }), async deeds => {
      const copy = copyOf(root)
      const isOther = deeds.map(each => perform(join(copy, 'log'), each)).includes(true)
      const keptFile = file('kept')
      writeFileSync(keptFile, kept)
      const reading = ['--archive', copy, '--key', vkey]
      const verified = await place.guard(['verify', 'log', '--since', keptFile, '--format', 'json', ...reading], copy)
      if (verified.exit === 0) expect(JSON.parse(verified.out).verified).toBe(true)
      // what the checkpoint is made of is never altered in silence: claims and bundles
      const all = await place.guard(['verify', '--format', 'json', ...reading], copy)
      if (all.out !== '') expect(Object.keys(JSON.parse(all.out))).toEqual(['journal', 'rows', 'continuity'])
      else expect(all.exit).not.toBe(0)
      if (!isOther) expect([verified.exit, all.exit]).toEqual([0, 0])
      for (const command of [
        ['checkpoint', '--since', keptFile, ...reading],
        ['prove', 'Orders', event, ...reading],
        ['sample', 'Orders', '--n', '2', '--seed', 'x', ...PERIOD, '--archive', copy],
      ]) {
        const { exit, out } = await place.guard(command, copy)
        // what is handed out verifies
        if (command[0] === 'prove' && exit === 0) {
          writeFileSync(file('handed'), out)
          expect((await place.guard(['verify', 'proof', file('handed'), '--key', vkey])).exit).toBe(0)
        }
      }
      const { exit } = await place.guard(['seal', '--key', key, '--archive', copy])
      // whoever sealed over it has hidden nothing
      if (exit === 0 && verified.exit === 1)
        expect((await place.guard(['verify', 'log', '--since', keptFile, ...reading], copy)).exit).toBe(1)
      rmSync(copy, { recursive: true })
    }))

  it('a kept checkpoint, a key and a proof are themselves, or are told', () =>
    fuzz(fc.record({ damage, edit: textEdit }), async ({ damage, edit }) => {
      const other = (bytes: Uint8Array, name: string) => {
        writeFileSync(file(name), damaged(editedText(bytes, edit), damage))
        return file(name)
      }
      const since = await place.guard(['checkpoint', '--archive', root, '--since', other(kept, 'kept')], root)
      if (since.exit === 0) expect(since.out).toBe(kept.toString())
      const shown = await place.guard(['verify', 'proof', other(proof, 'proof'), '--key', vkey])
      if (shown.exit === 0) expect(shown.out).toContain(event)
      const secret = readFileSync(key)
      const sealed = await place.guard(['seal', '--key', other(secret, 'other.key'), '--archive', copyOf(root)])
      expect(sealed.out + sealed.err).not.toContain(secret.toString().trim().slice(-40, -8))
      await place.guard(['verify', 'log', '--archive', root, '--key', other(Buffer.from(vkey), 'other.vkey')], root)
    }))

  it('a bundle is as it was, or is told', () =>
    fuzz(fc.array(deed, { minLength: 1, maxLength: 2 }), async deeds => {
      const copy = copyOf(file('bag'))
      const isOther = deeds.map(each => perform(copy, each)).includes(true)
      const { exit } = await place.guard(['verify', 'bundle', copy, '--key', vkey], copy)
      expect([isOther, exit]).toEqual([isOther, isOther ? 1 : 0])
      await place.guard(['verify', 'bundle', copy], copy)
      rmSync(copy, { recursive: true })
    }))

  it('a receipt becomes a bundle that verifies, or is told', () =>
    fuzz(fc.record({ damage, edit: textEdit, deeds: fc.array(deed, { maxLength: 1 }) }), async ({ deeds, ...how }) => {
      const copy = copyOf(root)
      for (const each of deeds) perform(join(copy, 'log'), each)
      writeFileSync(file('edited'), damaged(editedText(receipt, how.edit), how.damage))
      const bag = file(`given-${++runs}`)
      const given = ['evidence', file('edited'), '--output', bag, '--key', vkey, '--archive', copy]
      const { exit } = await place.guard(given, copy)
      if (exit === 0) expect((await place.guard(['verify', 'bundle', bag, '--key', vkey])).exit).toBe(0)
      else expect(existsSync(bag)).toBe(false)
      rmSync(copy, { recursive: true })
      rmSync(bag, { recursive: true, force: true })
    }))

  it('a policy lets nothing pass that its quorum did not sign, or is told', () =>
    fuzz(fc.record({ damage, edit: textEdit }), async ({ damage, edit }) => {
      const policy = `log ${vkey}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n`
      writeFileSync(file('policy'), damaged(editedText(Buffer.from(policy), edit), damage))
      const judged = await place.guard(['verify', 'log', '--archive', root, '--policy', file('policy')], root)
      const text = readFileSync(file('policy'), 'latin1')
      // nobody witnessed this journal: only who asks for no witness may say that it holds
      if (judged.exit === 0) expect(text).not.toMatch(/^quorum w1$/m)
    }))
})
