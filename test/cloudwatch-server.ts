/**
 * What we ask of CloudWatch, on loopback, by the protocol that the SDK speaks to it (AWS JSON 1.0, times in seconds):
 * alarms by name, and measurements. It refuses what the API reference says that the service refuses.
 */
import type { ServerResponse } from 'node:http'
import type { MetricAlarm, MetricDataQuery } from '@aws-sdk/client-cloudwatch'
import { type Loopback, startLoopback } from './loopback.js'

/** An alarm as it stands on the wire. */
export type WireAlarm = Omit<MetricAlarm, 'StateTransitionedTimestamp' | 'StateUpdatedTimestamp'> & {
  readonly StateTransitionedTimestamp?: number
  readonly StateUpdatedTimestamp?: number
}

/** A measurement, its time in milliseconds since 1970. */
export type Measured = readonly [time: number, value: number]

export interface CloudWatchServer extends Loopback {
  readonly alarms: WireAlarm[]
  readonly requests: { readonly operation: string; readonly input: Record<string, unknown> }[]
  /** What was measured, for each query of a request: of an expression it is asked by its id, too. */
  measure: (query: MetricDataQuery) => readonly Measured[]
  /** An error in the place of every answer of an operation. */
  readonly faults: Map<string, { readonly type: string; readonly message: string }>
  /** How each query of GetMetricData ended. */
  status: string
}

const PAGE_POINTS = 2

export async function startCloudWatchServer(): Promise<CloudWatchServer> {
  const loopback = await startLoopback((request, body, response) => {
    const operation = String(request.headers['x-amz-target']).replace('GraniteServiceVersion20100801.', '')
    const input = JSON.parse(body.toString()) as Record<string, unknown>
    server.requests.push({ operation, input })
    const fault = server.faults.get(operation)
    if (fault !== undefined) return refuse(response, fault.type, fault.message)
    if (operation === 'DescribeAlarms') return describeAlarms(server, input, response)
    if (operation === 'GetMetricData') return getMetricData(server, input, response)
    return refuse(response, 'InvalidAction', `${operation} is not served here`)
  })
  const server: CloudWatchServer = {
    ...loopback,
    alarms: [],
    requests: [],
    measure: () => [],
    faults: new Map(),
    status: 'Complete',
  }
  return server
}

function describeAlarms({ alarms }: CloudWatchServer, input: Record<string, unknown>, response: ServerResponse) {
  const { AlarmNames = [], MaxRecords = 50 } = input as { AlarmNames?: string[]; MaxRecords?: number }
  if (AlarmNames.length === 0 || AlarmNames.length > 100 || MaxRecords > 100)
    return refuse(response, 'ValidationError', 'AlarmNames has 1 to 100 names, MaxRecords is at most 100')
  const found = alarms.filter(({ AlarmName = '' }) => AlarmNames.includes(AlarmName))
  return respond(response, { MetricAlarms: found.slice(0, MaxRecords), CompositeAlarms: [] })
}

function getMetricData(server: CloudWatchServer, input: Record<string, unknown>, response: ServerResponse) {
  const { MetricDataQueries: queries = [], StartTime = 0, EndTime = 0, NextToken = '0' } = input as Asked
  const ids = queries.map(({ Id = '' }) => Id)
  const isWrong = (query: MetricDataQuery) =>
    !/^[a-z][A-Za-z0-9_]{0,254}$/.test(query.Id ?? '') ||
    (query.MetricStat === undefined) === (query.Expression === undefined)
  if (queries.length === 0 || queries.length > 500 || new Set(ids).size < ids.length || queries.some(isWrong))
    return refuse(response, 'ValidationError', 'MetricDataQueries are 1 to 500, each with an id and one of both')
  if (StartTime >= EndTime) return refuse(response, 'ValidationError', 'StartTime is not before EndTime')
  const from = Number(NextToken)
  const all = queries
    .filter(({ ReturnData }) => ReturnData !== false)
    .map(query => ({
      Id: query.Id,
      points: server.measure(query).filter(([time]) => time >= StartTime * 1000 && time < EndTime * 1000),
    }))
  const isMore = all.some(({ points }) => points.length > from + PAGE_POINTS)
  return respond(response, {
    MetricDataResults: all.map(({ Id, points }) => {
      const page = points.slice(from, from + PAGE_POINTS)
      return {
        Id,
        StatusCode: isMore ? 'PartialData' : server.status,
        Timestamps: page.map(([time]) => time / 1000),
        Values: page.map(([, value]) => value),
      }
    }),
    ...(isMore && { NextToken: String(from + PAGE_POINTS) }),
  })
}

interface Asked {
  readonly MetricDataQueries?: readonly MetricDataQuery[]
  readonly StartTime?: number
  readonly EndTime?: number
  readonly NextToken?: string
}

function respond(response: ServerResponse, body: object, status = 200): ServerResponse {
  return response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, type: string, message: string): ServerResponse {
  return respond(response, { __type: `com.amazonaws.cloudwatch#${type}`, message }, 400)
}
