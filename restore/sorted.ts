import { once } from 'node:events'
import { createWriteStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder } from '../store/durable.js'
import { compareUtf8 } from '../transform/json.js'
import { readFileLines } from './lines.js'

/** A value of one line of text, and what it is sorted by, which has no tab and no line feed: JSON has neither. */
export interface KeyedText {
  readonly key: string
  readonly text: string
}

/** Characters that are sorted in memory; more goes through files. */
const IN_MEMORY = 64 * 1024 * 1024

/**
 * Texts in the order of the bytes of their keys, whatever their number: sorted runs lie in temporary files, readable by
 * this user alone, and are gone at the end; those of a process that was killed go with the next.
 */
export async function* sortByKey(values: AsyncIterable<KeyedText>, inMemory = IN_MEMORY): AsyncGenerator<KeyedText> {
  let folder: string | undefined
  const runs: string[] = []
  let held: KeyedText[] = []
  let size = 0
  try {
    for await (const value of values) {
      held.push(value)
      size += value.key.length + value.text.length
      if (size < inMemory) continue
      folder ??= privateFolder('itemtrail-sort-')
      runs.push(await writeRun(join(folder, String(runs.length)), held))
      held = []
      size = 0
    }
    held.sort(byKey)
    if (runs.length === 0) yield* held
    else yield* mergeRuns([...runs.map(readRun), fromMemory(held)])
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

function byKey(a: KeyedText, b: KeyedText): number {
  return compareUtf8(a.key, b.key)
}

async function writeRun(path: string, values: KeyedText[]): Promise<string> {
  const file = createWriteStream(path, { mode: 0o600 })
  const failed = once(file, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => {})
  for (const { key, text } of values.sort(byKey)) {
    if (!file.write(`${key}\t${text}\n`)) await Promise.race([once(file, 'drain'), failed])
  }
  file.end()
  await Promise.race([once(file, 'close'), failed])
  return path
}

async function* readRun(path: string): AsyncGenerator<KeyedText> {
  for await (const line of readFileLines(path)) {
    const tab = line.indexOf('\t')
    yield { key: line.slice(0, tab), text: line.slice(tab + 1) }
  }
}

async function* fromMemory(values: readonly KeyedText[]): AsyncGenerator<KeyedText> {
  yield* values
}

/** A run has 64 MB, so there are few: the least of their heads is found by looking at each. */
async function* mergeRuns(runs: readonly AsyncGenerator<KeyedText>[]): AsyncGenerator<KeyedText> {
  const heads = await Promise.all(runs.map(run => run.next()))
  for (;;) {
    let least = -1
    for (const [i, head] of heads.entries()) {
      const best = heads[least]
      if (!head.done && (best === undefined || byKey(head.value, best.value as KeyedText) < 0)) least = i
    }
    if (least === -1) return
    yield heads[least]?.value as KeyedText
    heads[least] = await (runs[least] as AsyncGenerator<KeyedText>).next()
  }
}
