/**
 * An archive that a release deployed, written to, upgraded to what is here, written to again, and removed: nothing is
 * lost on the way, and what stays is what docs/deploy.md says.
 */
import { hash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { DescribeKinesisStreamingDestinationCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { ListBucketsCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { releases, type Templates, templatesOf, UPGRADED, upgradedConfiguration } from '../infra/released.js'
import { aws, itemtrail } from './acting.js'
import { clientsOf, deploy, destroy, keysBelow, mustRun, resourcesOf, synthesise, waitFor, writeInto } from './stack.js'
import { makeTable, openWorld, type World } from './world.js'

const opened = openWorld()
const world = opened as World
const RELEASE = releases().at(-1) as string

describe.skipIf(typeof opened === 'string')(
  `an archive that ${RELEASE} deployed${typeof opened === 'string' ? ` (${opened})` : ''}`,
  () => {
    let folder: string
    let now: string
    let then: string
    let bucket: string
    const env = () => world.environment

    beforeAll(async () => {
      folder = join(world.folder, 'upgrade')
      const stream = await makeTable(env(), 'Parcels', ['id'], true)
      await makeTable(env(), 'Crates', ['pk', 'sk'], false)
      const configuration = writeInto(folder, 'itemtrail.config.json', JSON.stringify(upgradedConfiguration(stream)))
      now = join(folder, 'now')
      then = join(folder, 'then')
      await synthesise(configuration, now, env())
      asReleased(now, then, stream)
    })

    /** A change of each table, by a number that tells it apart. */
    async function write(number: number): Promise<void> {
      const { dynamodb } = clientsOf(env())
      const status = { S: `S${number}` }
      await dynamodb.send(new PutItemCommand({ TableName: 'Parcels', Item: { id: { S: 'P' }, status } }))
      const Item = { pk: { S: 'C' }, sk: { N: '1' }, status }
      await dynamodb.send(new PutItemCommand({ TableName: 'Crates', Item }))
      for (const table of ['Parcels', 'Crates'])
        await waitFor(
          () => keysBelow(bucket, `data/${table}/`, env()),
          keys => keys.length >= number,
        )
    }

    const evidence = async () =>
      (await resourcesOf(UPGRADED.stack, env()))
        .filter(({ type }) => /S3::Bucket$|KMS::Key|Kinesis::Stream|DeliveryStream$|Glue|EventSourceMapping/.test(type))
        .map(({ id, physical }) => `${id} ${physical}`)
        .sort()

    it('loses nothing by the upgrade, and its history is whole', async () => {
      await deploy(then, env())
      const { Stacks = [] } = await clientsOf(env()).cloudformation.send(
        new DescribeStacksCommand({ StackName: UPGRADED.stack }),
      )
      const outputs = Stacks[0]?.Outputs ?? []
      bucket = outputs.find(({ OutputKey }) => OutputKey?.includes('ArchiveBucket'))?.OutputValue as string
      await write(1)
      await write(2)
      const before = await evidence()
      await deploy(now, env())
      expect((await evidence()).filter(one => before.includes(one))).toEqual(before)
      await write(3)

      const copy = join(folder, 'copy')
      await mustRun(['aws', 's3', 'sync', '--quiet', `s3://${bucket}`, copy], env(), folder)
      const config = ['--archive', copy, '--config', join(folder, 'itemtrail.config.json'), '--format', 'json']
      for (const [table, key] of [
        ['Parcels', 'P'],
        ['Crates', 'pk=C,sk=1'],
      ] as const) {
        const { out } = await itemtrail(world, ['history', table, key, ...config])
        expect([...out.matchAll(/"S": ?"(S\d)"/g)].map(([, status]) => status)).toEqual(
          expect.arrayContaining(['S1', 'S2', 'S3']),
        )
        expect(out).toContain('UNBROKEN')
      }
    })

    it('leaves, once it is removed, what the document says, and a table that no longer writes into its stream', async () => {
      const name = ['--stack-name', UPGRADED.stack]
      await aws(world, [
        'cloudformation',
        'update-termination-protection',
        '--no-enable-termination-protection',
        ...name,
      ])
      await destroy(now, env())
      const { Buckets = [] } = await clientsOf(env()).s3.send(new ListBucketsCommand({}))
      const stay = Buckets.filter(({ Name }) => Name?.startsWith('itemtrail-upgrade-')).map(({ Name }) => `${Name}`)
      expect(
        stay.map(bucketName => bucketName.replace(/^itemtrail-upgrade-audit|[0-9a-f]{8}-.*$/g, '')).sort(),
      ).toEqual(STAY)
      expect((await keysBelow(bucket, 'data/Crates/', env())).length).toBe(3)
      const { StreamNames } = await aws(world, ['kinesis', 'list-streams'])
      expect(StreamNames.filter((stream: string) => stream.startsWith('itemtrail-upgrade'))).toHaveLength(1)
      const command = new DescribeKinesisStreamingDestinationCommand({ TableName: 'Crates' })
      const { KinesisDataStreamDestinations } = await clientsOf(env()).dynamodb.send(command)
      expect(KinesisDataStreamDestinations?.map(it => it.DestinationStatus)).toEqual(['DISABLED'])
    })
  },
)

/** The buckets of an archive that compacts: docs/deploy.md, "Removing". */
const STAY = ['accesslogs', 'archivebucket', 'derivedbucket', 'refused', 'workgroupresults']

/** What CDK synthesised now, with the templates of the release in it: nothing of it may be called as something of now. */
function asReleased(now: string, then: string, streamArn: string): void {
  cpSync(now, then, { recursive: true })
  const released = templatesOf(RELEASE, 'configuration-file') as Templates
  const files = readdirSync(then).filter(name => name.endsWith('.template.json'))
  for (const file of files) rmSync(join(then, file))
  for (const [file, template] of Object.entries(released)) {
    const current = JSON.parse(readFileSync(join(now, file), 'utf8')) as Templates[string]
    for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
      // the code is today's: of a release only what it deploys is kept
      const today = current.Resources[id]?.Properties
      if (Type === 'AWS::Lambda::Function' && today !== undefined) Properties.Code = today.Code
      if (Type === 'AWS::CloudFormation::Stack' && today !== undefined) Properties.TemplateURL = today.TemplateURL
    }
    writeFileSync(join(then, file), JSON.stringify(template).replaceAll(UPGRADED.streamArn, streamArn))
  }
  renameTemplates(then, released)
}

/** Uploads are called by their content, which the templates of now have been asked for. */
function renameTemplates(then: string, released: Templates): void {
  const assets = readdirSync(then).filter(name => name.endsWith('.assets.json'))
  const hashes = assets.flatMap(name => {
    const { files } = JSON.parse(readFileSync(join(then, name), 'utf8')) as Assets
    return Object.entries(files).flatMap(([id, { source }]) => (source.path in released ? [id] : []))
  })
  for (const name of readdirSync(then).filter(file => file.endsWith('.json'))) {
    const text = readFileSync(join(then, name), 'utf8')
    writeFileSync(
      join(then, name),
      hashes.reduce((all, id) => all.replaceAll(id, hash('sha256', `${RELEASE} ${id}`)), text),
    )
  }
}

interface Assets {
  readonly files: Readonly<Record<string, { readonly source: { readonly path: string } }>>
}
