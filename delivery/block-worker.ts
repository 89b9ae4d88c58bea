/** A thread that transforms blocks, one after the other, in the order in which they are sent. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Bounds } from '../capture/overlong.js'
import { SpareMemory } from '../capture/spare-memory.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { BlockTransform, bufferOf, isRows } from './block-transform.js'
import type { BlockAnswer, BlockOrder } from './block-workers.js'

const tables = new Map<string, TableConfiguration>()
const spare = new SpareMemory()
const transform = new BlockTransform(table => tables.get(table), workerData as Bounds, spare)

parentPort?.on('message', ({ block, arrival, added, given }: BlockOrder) => {
  for (const configuration of added) tables.set(configuration.table, configuration)
  for (const memory of given) spare.give(memory)
  const bytes = bufferOf(block.bytes)
  const content = transform.transform({ ...block, bytes }, arrival)
  const lines = content?.flatMap(part => (isRows(part) ? [part.lines.buffer] : [])) ?? []
  // documents may be views of memory that is not theirs
  const parts = content?.map(part => (part instanceof Uint8Array ? new Uint8Array(part) : part))
  const answer: BlockAnswer = { bytes, content: parts }
  parentPort?.postMessage(answer, [bytes.buffer, ...lines] as ArrayBuffer[])
})
