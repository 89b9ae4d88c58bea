import { nodeForHandlers, withBundles } from './bundle.js'
import { runAlone } from './child.js'
import { firehoseEvents } from './events.js'
import { orderRecords } from './orders.js'
import { type Finding, PAIRS, type Spread, type Suite, type SuiteResult, showSpread, spreadOf } from './suite.js'

export interface HandlerSize {
  /** Bytes of the event's JSON. */
  readonly eventBytes: number
  readonly rounds: number
}

const FULL: HandlerSize = { eventBytes: 3_000_000, rounds: PAIRS }
const MOST_MEMORY_MB = 60
const MOST_START_MS = 10

export const suite: Suite = {
  name: 'handler',
  question: 'what does the bundled handler need in memory, and what does its cold start cost?',
  run: note => measureHandler(FULL, note),
}

/** The suite at any size: a test runs it small. */
export async function measureHandler(
  { eventBytes, rounds }: HandlerSize,
  note: (text: string) => void,
): Promise<SuiteResult> {
  const node = nodeForHandlers()
  const event = eventOf(eventBytes)
  return withBundles(async (bundle, empty) => {
    note(`an event of ${event.length} bytes`)
    // both are given the whole event, so that the difference is the handler's own
    const call = (url: string) => `
      import { text } from 'node:stream/consumers'
      const { handler } = await import(${url})
      const answer = await handler(JSON.parse(await text(process.stdin)))
      if (answer.records.some(record => record.result !== 'Ok')) throw new Error('refused')
      JSON.stringify(answer)`
    const memory = await differences(
      rounds,
      async url => (await runAlone(node, call(url), { input: event })).peakMb,
      bundle,
      empty,
    )
    note('cold starts')
    const start = await differences(
      rounds,
      async url => (await runAlone(node, `await import(${url})`)).cpuMs,
      bundle,
      empty,
    )
    return {
      findings: [
        finding(
          `memory of the handler on an event of ${(eventBytes / 1e6).toFixed(0)} MB`,
          memory,
          'MB',
          MOST_MEMORY_MB,
        ),
        finding('cold start of the bundled handler', start, 'ms CPU', MOST_START_MS),
      ],
      remarks: [
        `Node ${await versionOf(node)}, a process of its own for each figure. Memory is the peak resident set; the empty handler is given the same event.`,
      ],
      leftOut: [],
    }
  })
}

/** By how much the handler's figure is above that of the empty one, pair by pair. */
async function differences(
  rounds: number,
  measure: (url: string) => Promise<number>,
  bundle: string,
  empty: string,
): Promise<Spread> {
  const found: number[] = []
  for (let round = 0; round < rounds; round++) {
    const [first, second] = round % 2 === 0 ? [bundle, empty] : [empty, bundle]
    const [a, b] = [await measure(first), await measure(second)]
    found.push(round % 2 === 0 ? a - b : b - a)
  }
  return spreadOf(found)
}

function eventOf(bytes: number): string {
  // base64 makes 4 bytes of 3; the envelope of a record is about 130
  const [event] = firehoseEvents(orderRecords({ count: Math.ceil(bytes / 2570) }), Number.POSITIVE_INFINITY)
  return JSON.stringify(event)
}

async function versionOf(node: string): Promise<string> {
  return (await runAlone(node, 'process.stdout.write(process.version)')).output
}

function finding(what: string, spread: Spread, unit: string, most: number): Finding {
  const figure = `${showSpread(spread, 1)} ${unit} above it`
  return {
    what,
    against: 'an empty handler',
    figure,
    target: `at most ${most} ${unit}`,
    reached: spread.median <= most,
  }
}
