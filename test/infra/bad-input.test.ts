import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, Duration, Size, Stack } from 'aws-cdk-lib'
import { AttributeType, type ITable, StreamViewType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { describe, expect, it } from 'vitest'
import { parseConfiguration } from '../../config/configuration.js'
import { archiveApp } from '../../infra/archive-app.js'
import type { AuditArchiveProps, CaptureProps } from '../../infra/archive-props.js'
import { ArchiveStack } from '../../infra/archive-stack.js'
import { configurationId, rowConfiguration, unconfiguredTable } from '../../transform/table-configuration.js'
import { archiveOf, ENVIRONMENT, ORDERS, STREAM_ARN, TABLE_KINDS } from './archives.js'

type Streams = ConstructorParameters<typeof Table>[2]

const KEY = { partitionKey: { name: 'order_id', type: AttributeType.STRING } }

function capture(
  fields: object,
  table: Partial<Streams> = { stream: StreamViewType.NEW_AND_OLD_IMAGES },
  props: object = {},
) {
  const { stack, archive } = archiveOf({}, props as Partial<AuditArchiveProps>)
  const made = new Table(stack, 'Orders', { tableName: 'Orders', ...KEY, ...table })
  return archive.capture(made, { since: '2026-11-22', ...fields } as CaptureProps)
}

/** A table that somebody imports and names the stream of. */
function imported(attributes: object, kind: 'streams' | 'kinesis' = 'streams') {
  const { stack, archive } = archiveOf({})
  const tableArn = STREAM_ARN.slice(0, STREAM_ARN.indexOf('/stream/'))
  const table = Table.fromTableAttributes(stack, 'Orders', { tableArn, ...attributes }) as ITable
  return archive.capture(table, { since: '2026-11-22', keys: ['order_id'], capture: kind })
}

/** A table that the app makes in a stack of another place. */
function elsewhere(env: typeof ENVIRONMENT, kind: 'streams' | 'kinesis') {
  const { app, archive } = archiveOf({})
  const theirs = new Stack(app, 'Theirs', { env, crossRegionReferences: true })
  return archive.capture(TABLE_KINDS.Table(theirs, 'Orders'), { since: '2026-11-22', capture: kind })
}

describe('synthesis refuses, with the path of the construct, the value and what is allowed', () => {
  it.each<[string, () => unknown, string]>([
    [
      'an unknown type',
      () => capture({ columns: { total: 'money' } }),
      'Stack/Audit: tables.Orders.columns.total is "money", expected one of string, number, json, bigint, double, boolean, timestamp, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p',
    ],
    [
      'columns that collide',
      () => capture({ columns: { orderStatus: 'string', order_status: 'string' } }),
      'makes the column old_order_status, which tables.Orders.columns.orderStatus has: an alias is required',
    ],
    [
      'no lock chosen',
      () => archiveOf({}, { lock: undefined } as never),
      'Stack/Audit: lock is missing, expected { mode: "none" }, or "governance" or "compliance" with days',
    ],
    [
      'an unknown lock',
      () => archiveOf({}, { lock: { mode: 'forever' } } as never),
      'Stack/Audit: lock.mode is "forever", expected "none", "governance" or "compliance"',
    ],
    [
      'compliance that is not confirmed',
      () => archiveOf({}, { lock: { mode: 'compliance', days: 30 } } as never),
      'Stack/Audit: lock.confirm is missing, expected true, because nobody can undo a compliance lock',
    ],
    [
      'days of nothing',
      () => archiveOf({}, { lock: { mode: 'governance', days: 0 } }),
      'Stack/Audit: lock.days is 0, expected a whole number from 1 to 36500',
    ],
    [
      'a table without a stream',
      () => capture({}, {}),
      'Stack/Audit/Tables/Orders: table Stack/Orders has no stream, which capture "streams" reads, expected stream (Table) or dynamoStream (TableV2) NEW_AND_OLD_IMAGES on it, or capture "kinesis"',
    ],
    [
      'a TableV2 without a stream',
      () => {
        const { stack, archive } = archiveOf({})
        archive.capture(new TableV2(stack, 'Orders', { tableName: 'Orders', ...KEY }), { since: '2026-11-22' })
      },
      'table Stack/Orders has no stream',
    ],
    [
      'an imported table whose stream nobody told',
      () => {
        const { stack, archive } = archiveOf({})
        archive.capture(Table.fromTableName(stack, 'Orders', 'Orders') as ITable, {
          since: '2026-11-22',
          keys: ['order_id'],
        })
      },
      'expected tables.Orders.streamArn in the configuration, or a table from fromTableAttributes with its tableStreamArn',
    ],
    [
      'flat columns of a stream of keys',
      () => capture({ columns: { status: 'string' } }, { stream: StreamViewType.KEYS_ONLY }),
      'Stack/Audit/Tables/Orders: table Stack/Orders streams KEYS_ONLY, expected NEW_AND_OLD_IMAGES to fill old_status and new_status',
    ],
    [
      'old columns of a stream of new images',
      () => capture({ columns: { status: 'string' } }, { stream: StreamViewType.NEW_IMAGE }),
      'table Stack/Orders streams NEW_IMAGE, expected NEW_AND_OLD_IMAGES',
    ],
    [
      'an actor of a stream of keys',
      () => capture({ actor: 'updated_by' }, { stream: StreamViewType.KEYS_ONLY }),
      'expected an image to find the actor in',
    ],
    [
      'a replica, whose stream CDK names for policies only',
      () => {
        const app = new App()
        const env = { account: '111122223333', region: 'us-east-1' }
        const main = new Stack(app, 'Main', { env, crossRegionReferences: true })
        const things = new TableV2(main, 'Things', {
          tableName: 'Things',
          ...KEY,
          dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
          replicas: [{ region: 'eu-central-1' }],
        })
        const { archive } = archiveOf({}, {}, app)
        archive.capture(things.replica('eu-central-1'), {
          since: '2026-11-22',
          keys: ['order_id'],
          tableName: 'Things',
        })
      },
      'a replica, is not known at synthesis, expected Table.fromTableAttributes with its tableStreamArn, or streamArn in the configuration',
    ],
    [
      'the stream of another table',
      () => imported({ tableStreamArn: STREAM_ARN.replace('Orders', 'Others') }),
      `Stack/Audit: stream ${STREAM_ARN.replace('Orders', 'Others')} is of table Others, expected one of table Orders`,
    ],
    [
      'a stream of another region',
      () => imported({ tableStreamArn: STREAM_ARN.replace('eu-central-1', 'us-east-1') }),
      `Stack/Audit: stream ${STREAM_ARN.replace('eu-central-1', 'us-east-1')} is of region us-east-1, expected one of eu-central-1`,
    ],
    [
      'what is no stream of a table',
      () => imported({ tableStreamArn: 'arn:aws:kinesis:eu-central-1:111122223333:stream/orders' }),
      'Stack/Audit: stream of table Orders is "arn:aws:kinesis:eu-central-1:111122223333:stream/orders", expected the ARN of a DynamoDB stream',
    ],
    [
      'a table of another account by kinesis',
      () => imported({ tableArn: 'arn:aws:dynamodb:eu-central-1:999900001111:table/Orders' }, 'kinesis'),
      'Stack/Audit/Tables/Orders: table Orders is of account 999900001111, expected one of 111122223333, where the stack is',
    ],
    [
      'a table of another region by kinesis',
      () => imported({ tableArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/Orders' }, 'kinesis'),
      'table Orders is of region us-east-1, expected one of eu-central-1, where the stack is',
    ],
    ...(['streams', 'kinesis'] as const).flatMap((kind): [string, () => unknown, string][] => [
      [
        `a table of the app in another region, by ${kind}`,
        () => elsewhere({ ...ENVIRONMENT, region: 'us-east-1' }, kind),
        'Stack/Audit/Tables/Orders: table Orders is of region us-east-1, expected one of eu-central-1, where the stack is',
      ],
      [
        `a table of the app in another account, by ${kind}`,
        () => elsewhere({ ...ENVIRONMENT, account: '999900001111' }, kind),
        'Stack/Audit/Tables/Orders: table Orders is of account 999900001111, expected one of 111122223333',
      ],
    ]),
    [
      'one table captured twice',
      () => {
        const { stack, archive } = archiveOf({ Orders: { since: '2026-11-22' } })
        archive.capture(stack.node.findChild('Orders') as unknown as ITable, {
          since: '2026-11-22',
          capture: 'kinesis',
        })
      },
      'Stack/Audit: table Orders is captured twice, expected one capture a table',
    ],
    [
      'a table whose name is not known',
      () => {
        const { stack, archive } = archiveOf({})
        archive.capture(new Table(stack, 'Orders', { ...KEY }), { since: '2026-11-22' })
      },
      'Stack/Audit: the name of Stack/Orders is not known at synthesis, expected a tableName on the table or in capture()',
    ],
    [
      'keys that are not those of the table',
      () => capture({ keys: ['id'] }),
      'Stack/Audit: tables.Orders.keys is ["id"], expected the table\'s own: ["order_id"]',
    ],
    [
      'no first day',
      () => capture({ since: undefined }),
      'Stack/Audit: tables.Orders.since is missing, expected the first day of the archive as YYYY-MM-DD',
    ],
    [
      'a first day that is none',
      () => capture({ since: '2026-02-30' }),
      'Stack/Audit: tables.Orders.since is "2026-02-30", expected a day as YYYY-MM-DD',
    ],
    [
      'a retention that is no whole number of days',
      () => archiveOf({}, { refusedRetention: Duration.hours(36) }),
      'Stack/Audit: refusedDays is 1.5, expected a whole number from 1 to 36500',
    ],
    [
      'a cutoff that is no whole number of gibibytes',
      () => archiveOf({}, { scanCutoff: Size.mebibytes(512) }),
      'Stack/Audit: scanCutoffGb is 0.5, expected a whole number from 1 to 1000000',
    ],
    [
      'a buffer that Firehose does not take',
      () => capture({ buffer: { size: Size.mebibytes(5) } }),
      'Stack/Audit: tables.Orders.buffer.mb is 5, expected a whole number from 64 to 128',
    ],
    [
      'a misspelt field',
      () => capture({ column: {} }),
      'Stack/Audit: tables.Orders.column is unknown, did you mean "columns"?',
    ],
    [
      'a name that Glue does not take',
      () => archiveOf({}, { name: 'Audit-1' }),
      'Stack/Audit: name is "Audit-1", expected lower-case letters',
    ],
    [
      'an archive of nothing',
      () => archiveOf({}).app.synth(),
      'Stack/Audit captures no table, expected capture(table, ...)',
    ],
    [
      'a column whose type changed under its name',
      () => {
        const folder = mkdtempSync(join(tmpdir(), 'kept-'))
        mkdirSync(join(folder, 'Orders'))
        const kept = {
          ...unconfiguredTable('Orders'),
          columns: [{ column: 'total', path: ['total'], type: 'string' as const }],
        }
        writeFileSync(join(folder, 'Orders', `${configurationId(kept)}.json`), rowConfiguration(kept))
        return capture({ columns: { total: 'decimal(12,2)' } }, undefined, { keptConfigurations: folder })
      },
      'Stack/Audit: table Orders declares the column old_total as decimal(12,2) from attribute "total", but the archive holds it as string from attribute "total": the new one needs a new name',
    ],
  ])('%s', (_, synthesise, message) => {
    expect(synthesise).toThrow(message)
  })
})

describe('the app refuses, with the line of the configuration that is missing,', () => {
  const ORDERS_FILE = { since: '2026-11-22', keys: ['order_id'], streamArn: STREAM_ARN }
  const deploy = (file: object) => () => {
    const configuration = parseConfiguration(JSON.stringify(file), 'itemtrail.config.json')
    return new ArchiveStack(new App(), 'Stack', { configuration, configurationPath: 'itemtrail.config.json' })
  }

  it.each<[string, object, string]>([
    [
      'no lock',
      { tables: { Orders: ORDERS_FILE } },
      'itemtrail.config.json: lock is missing, expected { "mode": "none" }',
    ],
    ...(['since', 'keys', 'streamArn'] as const).map((field): [string, object, string] => [
      `no ${field}`,
      { lock: { mode: 'none' }, tables: { Orders: { ...ORDERS_FILE, [field]: undefined } } },
      `itemtrail.config.json: tables.Orders.${field} is missing, expected`,
    ]),
    ['no table', { lock: { mode: 'none' } }, 'itemtrail.config.json: tables is empty, expected at least one table'],
    [
      "another table's stream",
      {
        lock: { mode: 'none' },
        tables: { Orders: { ...ORDERS_FILE, streamArn: STREAM_ARN.replace('Orders', 'Returns') } },
      },
      'itemtrail.config.json: tables.Orders.streamArn is a stream of table Returns, expected one of Orders',
    ],
    [
      'what is no stream',
      { tables: { Orders: { streamArn: 'Orders' } } },
      'tables.Orders.streamArn is "Orders", expected the ARN of a DynamoDB stream',
    ],
  ])('%s', (_, file, message) => {
    expect(deploy(file)).toThrow(message)
  })

  it('a file that is not there', () => {
    expect(() => archiveApp(new App({ context: { config: 'nowhere.json' } }))).toThrow('nowhere.json: no such file')
  })

  it('nothing where all is said, with either capture', () => {
    const tables = {
      Orders: { ...ORDERS, ...ORDERS_FILE },
      Returns: { since: '2026-11-22', keys: ['id'], capture: 'kinesis' },
    }
    const { archive } = deploy({ lock: { mode: 'none' }, tables })()
    expect(archive.tables.map(({ configuration }) => configuration.table)).toEqual(['Orders', 'Returns'])
  })
})
