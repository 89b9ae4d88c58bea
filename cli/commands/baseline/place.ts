import type { BaselineOrigin, BaselineTarget } from '../../../capture/baseline.js'
import { checkEvolution } from '../../../config/evolution.js'
import { DiskArchive } from '../../../store/folder.js'
import { keptConfigurations } from '../../../store/kept-configurations.js'
import { readFacts } from '../../../store/kept-facts.js'
import type { Fact } from '../../../transform/fact.js'
import { configurationKey } from '../../../transform/layout.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { archiveRoot } from '../../ask/workspace.js'
import { callAws } from '../../failures.js'
import { CommandError, EXIT, type Options } from '../../io.js'
import { archiveFlag } from '../../show/archive-name.js'

/** A target that holds on to something until it is closed. */
export interface OpenTarget extends BaselineTarget {
  close(): void
}

/** Where a baseline goes, and what is known there already. */
export interface BaselinePlace {
  /** The archive's folder; undefined for one on AWS. */
  readonly root: string | undefined
  /** How to see what was refused. */
  readonly refusedHint: string
  readFacts(table: string): Promise<readonly Fact[]>
  /** Throws `CommandError` where rows of this configuration do not go with those that are there. */
  check(table: TableConfiguration): Promise<void>
  /** `onArrived` is told how many rows have arrived where that takes time. */
  openTarget(
    table: TableConfiguration,
    origin: BaselineOrigin,
    onArrived: (items: number, expected: number) => void,
  ): Promise<OpenTarget>
}

/**
 * The place that the flags name. Throws `CommandError` for a delivery stream that does not take the table's records.
 */
export async function openPlace(table: string, options: Options): Promise<BaselinePlace> {
  const { deliveryStream, bucket, region } = options
  if (typeof deliveryStream !== 'string' || typeof bucket !== 'string') return openDesk(archiveRoot(options))
  return openAws(table, deliveryStream, bucket, typeof region === 'string' ? { region } : {})
}

function openDesk(root: string): BaselinePlace {
  const archive = new DiskArchive(root)
  return {
    root,
    refusedHint: `itemtrail status${archiveFlag(root)} tells what was refused`,
    readFacts: table => readFacts(archive, table),
    check: async table => {
      const problems = checkEvolution(await keptConfigurations(archive, table.table), table)
      if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage)
    },
    openTarget: async table => {
      const { ArchiveTarget } = await import('../../../delivery/baseline-to-archive.js')
      return ArchiveTarget.open(archive, table)
    },
  }
}

async function openAws(
  table: string,
  deliveryStream: string,
  bucketName: string,
  connection: { readonly region?: string },
): Promise<BaselinePlace> {
  const [{ FirehoseClient }, { S3Client }, { Bucket }, { findObstacle }, { FirehoseTarget }] = await Promise.all([
    import('@aws-sdk/client-firehose'),
    import('@aws-sdk/client-s3'),
    import('../../../store/s3.js'),
    import('../../../delivery/redrive-to-firehose.js'),
    import('../../../delivery/baseline-to-firehose.js'),
  ])
  const stream = `delivery stream ${JSON.stringify(deliveryStream)}`
  const bucket = new Bucket(new S3Client(connection), bucketName)
  const reading = <T>(read: () => Promise<T>) => callAws(`bucket ${JSON.stringify(bucketName)} cannot be read`, read)
  const obstacle = await callAws(`${stream} cannot be described`, () =>
    findObstacle(new FirehoseClient(connection), deliveryStream, table),
  )
  if (obstacle !== undefined) throw new CommandError(`${stream} ${obstacle}`)
  return {
    root: undefined,
    refusedHint: `itemtrail redrive ${table} --bucket ${bucketName} tells what was refused`,
    readFacts: name => reading(() => readFacts(bucket, name)),
    check: async configuration => {
      if (configuration.erasable !== undefined && configuration.withKeys === undefined)
        throw new CommandError(
          `table ${JSON.stringify(configuration.table)} has erasable values, which are sealed by the keys of the stack`,
          EXIT.usage,
          '--keys-of STACK names it: the digest of a baseline is of sealed values',
        )
      const key = configurationKey(configuration)
      if ((await reading(() => bucket.list(key))).includes(key)) return
      throw new CommandError(
        `configuration of ${table} here is not one that is deployed: the bucket has no ${key}`,
        EXIT.usage,
        'use the itemtrail.config.json of the deployment, with the keys of the table in it',
      )
    },
    openTarget: (configuration, origin, onArrived) =>
      FirehoseTarget.open({
        // the sender tries again itself
        firehose: new FirehoseClient({ ...connection, maxAttempts: 1 }),
        deliveryStream,
        bucket,
        table: configuration,
        origin,
        onArrived,
      }),
  }
}
