/** `status --stack` knows stations by the alarms that a stack deploys: those of the template, as CloudWatch tells them. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAlarms, type StackAlarm } from '../../doctor/stack-alarms.js'
import { readLag } from '../../doctor/stack-lag.js'
import { type CloudWatchServer, startCloudWatchServer, type WireAlarm } from '../cloudwatch-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { read } from '../source.js'
import { ORDERS, TABLE_KINDS, templateOf } from './archives.js'

let server: CloudWatchServer
let client: CloudWatchClient
beforeAll(async () => {
  server = await startCloudWatchServer()
  client = new CloudWatchClient({ ...LOOPBACK_CONNECTION, endpoint: server.endpoint, maxAttempts: 1 })
})
afterAll(() => server.stop())

const templates = new Map<string, readonly WireAlarm[]>()

async function deployed(capture: 'streams' | 'kinesis'): Promise<readonly StackAlarm[]> {
  const alarms = templates.get(capture) ?? alarmsIn(capture)
  templates.set(capture, alarms)
  server.alarms.splice(0, server.alarms.length, ...alarms)
  const { alarms: found, gone } = await readAlarms(client, [
    ...alarms.map(({ AlarmName = '' }) => AlarmName),
    'deleted',
  ])
  expect(gone).toEqual(['deleted'])
  return found
}

function alarmsIn(capture: 'streams' | 'kinesis'): readonly WireAlarm[] {
  const table = capture === 'streams' ? TABLE_KINDS.imported : TABLE_KINDS.Table
  const { resources } = templateOf({ Orders: { ...ORDERS, capture, keys: ['order_id'], table } })
  const made = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
  return made.map(([AlarmName, { Properties }]) => ({ ...plain(Properties), AlarmName }) as WireAlarm)
}

/** What CloudFormation would put in the place of references is some text or other. */
function plain(properties: unknown): object {
  return JSON.parse(JSON.stringify(properties).replaceAll(/\{"(?:Ref|Fn::\w+)":(?:"[^"]*"|\[[^\]]*\])\}/g, '"some"'))
}

const NOW = Date.parse('2026-11-30T03:00:00Z')
const measuredAt = (value: number) => [[NOW - 60_000, value] as const]

describe.each(['streams', 'kinesis'] as const)('with capture %s', capture => {
  it('every alarm of a stack is read as what the runbook has', async () => {
    const alarms = await deployed(capture)
    expect(alarms.length).toBeGreaterThan(15)
    const runbook = read('docs/runbook.md')
    for (const { rule, name, tells, threshold, meaning } of alarms) {
      const page = runbook.split(`\n### ${rule?.heading}\n`)[1]?.split('\n### ')[0]
      expect([name, page]).toEqual([name, expect.stringContaining('- **Status**: `alarms`')])
      expect([name, tells, Number.isFinite(threshold), meaning !== '']).toEqual([name, true, true, true])
      expect(['archive', 'Orders']).toContain(rule?.subject)
    }
  })

  it('each station is measured, and the clock of what is lost first is told', async () => {
    server.measure = ({ MetricStat, Id }) => {
      if (Id === 'polled' || Id === 'written') return []
      return measuredAt(MetricStat?.Metric?.MetricName === 'DeliveryToS3.DataFreshness' ? 60 : 7_200_000)
    }
    const { hops, untilLossMs } = await readLag(client, await deployed(capture), 'Orders', NOW)
    const told = hops.map(({ hop, lagMs, isBehind }) => [hop, lagMs, isBehind])
    expect(told).toEqual(
      capture === 'streams'
        ? [
            ['stream', 7_200_000, true],
            ['Firehose', 60_000, false],
          ]
        : [
            ['replication', 7_200_000, true],
            ['Kinesis', 7_200_000, true],
            ['Firehose', 60_000, false],
          ],
    )
    // what is behind goes on falling behind since it was measured
    expect(untilLossMs).toBe(24 * 3_600_000 - (capture === 'streams' ? 7_260_000 : 60_000))
  })
})

describe('a stream that nobody reads', () => {
  const HOUR = 3_600_000
  const since = async (polled: readonly number[], written: readonly number[]) => {
    const hours = { polled, written }
    server.measure = ({ Id = '' }) => (hours[Id as 'polled'] ?? []).map(ago => [NOW - ago * HOUR, 1] as const)
    return (await readLag(client, await deployed('streams'), 'Orders', NOW)).unreadSince
  }

  it('is told by the first hour of writes after the last one that was read', async () => {
    expect(await since([9, 8], [9, 8, 6, 5])).toBe(NOW - 6 * HOUR)
    expect(await since([], [20])).toBe(NOW - 20 * HOUR)
  })

  it('is none where the last writes were read, or are of an hour that is hardly over', async () => {
    expect(await since([9, 5], [9, 6, 5])).toBeNull()
    expect(await since([], [])).toBeNull()
    expect(await since([2], [2, 1])).toBeNull()
  })
})
