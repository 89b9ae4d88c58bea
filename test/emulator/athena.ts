/**
 * Athena in front of the emulator, whose own knows no Trino: each request goes to the emulator first, which decides by
 * IAM whether its sender may make it; what is allowed a real Trino answers, from the deployed tables of Glue and the
 * objects of S3.
 */
import { randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type AthenaServer, type Outcome, startAthenaServer } from '../athena-server.js'
import { startLoopback } from '../loopback.js'
import { bound, serveTrino } from '../trino/athena.js'
import { TrinoClient } from '../trino/client.js'
import { launchTrino, missingForTrino } from '../trino/server.js'

/** Who answers a query, and by which name. */
interface Served {
  readonly server: AthenaServer
  readonly id: string
}

export interface AthenaFront {
  readonly endpoint: string
  /** From now on it forwards to the emulator. */
  connect(endpoint: string): Promise<void>
  /** From now on questions are answered, of a database of Glue in workgroups with the places of their answers. */
  answer(database: string, workgroups: ReadonlyMap<string, string>): Promise<void>
  stop(): Promise<void>
}

const UNLOAD =
  /^unload \(\n([\s\S]*)\n\) to '([^']*)' with \(format = 'PARQUET', compression = 'ZSTD'(?:, (partitioned_by = .*))?\)$/

/** Starts it: the emulator has to be told where it is before it is there itself. */
export async function startAthenaFront(): Promise<AthenaFront> {
  const servers = new Map<string, AthenaServer>()
  const served = new Map<string, Served>()
  let emulator = ''
  let stopTrino = async () => {}
  const front = await startLoopback(async ({ headers }, body, response) => {
    const operation = String(headers['x-amz-target']).replace('AmazonAthena.', '')
    const input = JSON.parse(body.toString() || '{}') as Record<string, string>
    const known = served.get(input.QueryExecutionId ?? '')
    const server = known?.server ?? servers.get(input.WorkGroup ?? '')
    const isStart = operation === 'StartQueryExecution'
    // the emulator asks for rights on a workgroup, which it does not know of a query by its id
    const judged = known === undefined ? await send(emulator, headers, body) : ALLOWED
    if (judged.status !== 200 || server === undefined || !(isStart || known)) return answer(response, judged)
    // a request is signed as it is, so people know a query by the emulator's name for it
    const asked = known === undefined ? input : { ...input, QueryExecutionId: known.id }
    const answered = await send(server.endpoint, headers, Buffer.from(JSON.stringify(asked)))
    const id = isStart && answered.status === 200 ? idOf(answered) : known?.id
    const name = isStart ? idOf(judged) : `${input.QueryExecutionId}`
    if (isStart && id !== undefined) served.set(name, { server, id })
    return answer(response, { ...answered, text: answered.text.replaceAll(id ?? '\0', name) })
  })
  return {
    endpoint: front.endpoint,
    connect: async endpoint => {
      emulator = endpoint
    },
    answer: async (database, workgroups) => {
      const trino = await launchTrino(() => catalogOf(emulator))
      stopTrino = trino.stop
      for (const [name, outputLocation] of workgroups) {
        const server = await startAthenaServer()
        Object.assign(server.workgroup, { name, outputLocation })
        serveOver(server, new TrinoClient(trino.client.url, database))
        servers.set(name, server)
      }
    },
    stop: async () => {
      await Promise.all([front, ...servers.values()].map(one => one.stop()))
      await stopTrino()
    },
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** What needs no judgement of its own: who asks by an id was allowed to start. */
const ALLOWED: Answer = { status: 200, text: '' }

const idOf = ({ text }: Answer) => (JSON.parse(text) as { QueryExecutionId: string }).QueryExecutionId

/** Sends a request on as it came: its signature is over its headers, the name of the host among them. */
function send(endpoint: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
  return new Promise((settle, fail) => {
    const passed = { ...headers, 'content-length': `${body.length}` }
    const sent = request(endpoint, { method: 'POST', headers: passed }, async response => {
      settle({ status: response.statusCode ?? 500, text: (await buffer(response)).toString() })
    })
    sent.on('error', fail).end(body)
  })
}

function answer(response: ServerResponse, { status, text }: Answer): unknown {
  return response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(text)
}

/** As `serveTrino`, but that an UNLOAD is a table which Trino itself writes where Athena would. */
function serveOver(server: AthenaServer, trino: TrinoClient): void {
  serveTrino(server, trino)
  const plain = server.answer
  server.answer = async (sql, parameters): Promise<Outcome> => {
    const [, query, location, partitioned] = UNLOAD.exec(sql) ?? []
    if (query === undefined) return plain(sql, parameters)
    const name = `unloaded_${randomBytes(6).toString('hex')}`
    const properties = [
      `format = 'PARQUET'`,
      `external_location = '${location}'`,
      ...(partitioned ? [partitioned] : []),
    ]
    const create = `create table ${name} with (${properties.join(', ')}) as ${query}`
    const { physicalInputBytes } = await trino.run(bound(create, parameters))
    await trino.run(`drop table ${name}`)
    return { state: 'SUCCEEDED', columns: [], rows: [], bytesScanned: physicalInputBytes }
  }
}

/** Trino's catalog over the emulator's Glue and S3, by its root. */
function catalogOf(endpoint: string): string {
  const [region, key] = ['us-east-1', 'test']
  return `connector.name=hive
hive.metastore=glue
hive.metastore.glue.region=${region}
hive.metastore.glue.endpoint-url=${endpoint}
hive.metastore.glue.aws-access-key=${key}
hive.metastore.glue.aws-secret-key=${key}
hive.metastore.glue.default-warehouse-dir=s3://${WAREHOUSE}/
fs.native-s3.enabled=true
s3.endpoint=${endpoint}
s3.region=${region}
s3.path-style-access=true
s3.aws-access-key=${key}
s3.aws-secret-key=${key}
hive.partition-projection-enabled=true
hive.non-managed-table-writes-enabled=true
hive.compression-codec=ZSTD
hive.recursive-directories=true
`
}

/** A bucket that Trino needs for tables of its own. */
export const WAREHOUSE = 'warehouse'

/** Says in one sentence what this machine lacks to answer questions; undefined when nothing is missing. */
export const missingForQuestions = missingForTrino
