import type { Resource, Resources } from './archives.js'

const GLUE_TYPE = /^(string|bigint|double|boolean|timestamp|array<string>|decimal\((\d+),(\d+)\))$/
const NAMESPACE = /!\{([a-zA-Z-]+):([^}]*)\}/g
const KNOWN = {
  data: ['timestamp', 'firehose', 'partitionKeyFromLambda', 'partitionKeyFromQuery'],
  error: ['timestamp', 'firehose'],
}

/** What CloudFormation and cfn-lint let pass and AWS then refuses, or worse, takes. */
export function templateProblems(resources: Resources): readonly string[] {
  return Object.entries(resources).flatMap(([id, resource]) => {
    switch (resource.Type) {
      case 'AWS::KinesisFirehose::DeliveryStream':
        return firehoseProblems(resource).map(problem => `${id}: ${problem}`)
      case 'AWS::S3::Bucket':
        return bucketProblems(resource).map(problem => `${id}: ${problem}`)
      case 'AWS::Glue::Table':
        return glueProblems(resource).map(problem => `${id}: ${problem}`)
      default:
        return []
    }
  })
}

function* collect(checks: readonly (readonly [wrong: boolean, problem: string])[]): Generator<string> {
  for (const [wrong, problem] of checks) if (wrong) yield problem
}

function firehoseProblems({ Properties }: Resource): readonly string[] {
  const {
    DeliveryStreamType,
    KinesisStreamSourceConfiguration,
    ExtendedS3DestinationConfiguration: destination,
  } = Properties
  const { Prefix = '', ErrorOutputPrefix = '', BufferingHints: hints = {} } = destination
  const converts = destination.DataFormatConversionConfiguration?.Enabled === true
  const partitions = destination.DynamicPartitioningConfiguration?.Enabled === true
  const namespaces = (prefix: string) => [...prefix.matchAll(NAMESPACE)].map(match => match[1] as string)
  const unknown = [
    ...namespaces(Prefix).filter(name => !KNOWN.data.includes(name)),
    ...namespaces(ErrorOutputPrefix).filter(name => !KNOWN.error.includes(name)),
  ]
  return [
    ...collect([
      [
        (converts || partitions) && !(hints.SizeInMBs >= 64 && hints.SizeInMBs <= 128),
        `buffer of ${hints.SizeInMBs} MB, conversion and partitioning want 64 to 128`,
      ],
      [partitions && !(hints.IntervalInSeconds >= 60), `buffer of ${hints.IntervalInSeconds} s, partitioning wants 60`],
      [
        converts && (destination.CompressionFormat ?? 'UNCOMPRESSED') !== 'UNCOMPRESSED',
        `${destination.CompressionFormat} outside of Parquet`,
      ],
      [unknown.length > 0, `prefix namespace ${unknown.join()} is not known`],
      [
        Prefix.includes('!{') && !ErrorOutputPrefix.includes('!{firehose:error-output-type}'),
        'no error prefix with the type of error',
      ],
      [partitions && !Prefix.includes('!{partitionKeyFrom'), 'partitions by nothing'],
      [!ErrorOutputPrefix.startsWith('refused/') && Prefix.startsWith('data/'), 'errors would lie among the data'],
      [
        (DeliveryStreamType === 'KinesisStreamAsSource') !== (KinesisStreamSourceConfiguration !== undefined),
        `${DeliveryStreamType} and the source do not fit`,
      ],
      [
        DeliveryStreamType === 'KinesisStreamAsSource' &&
          Properties.DeliveryStreamEncryptionConfigurationInput !== undefined,
        'encrypts, which Firehose refuses with a Kinesis source',
      ],
    ]),
  ]
}

function bucketProblems({ Properties }: Resource): readonly string[] {
  const locked = Properties.ObjectLockEnabled === true
  const classes = (Properties.LifecycleConfiguration?.Rules ?? []).flatMap(
    (rule: Resource['Properties']) => rule.Transitions ?? [],
  )
  return [
    ...collect([
      [locked && Properties.VersioningConfiguration?.Status !== 'Enabled', 'Object Lock without versions'],
      [!locked && Properties.ObjectLockConfiguration !== undefined, 'retention without Object Lock'],
      [
        classes.some(
          ({ StorageClass }: { StorageClass: string }) => !['STANDARD_IA', 'GLACIER_IR'].includes(StorageClass),
        ),
        'a storage class that Athena skips',
      ],
    ]),
  ]
}

function glueProblems({ Properties }: Resource): readonly string[] {
  const { StorageDescriptor, PartitionKeys, Parameters } = Properties.TableInput
  const columns = [...StorageDescriptor.Columns, ...PartitionKeys] as { Name: string; Type: string }[]
  const wrong = columns.filter(({ Type }) => {
    const [, , precision, scale] = GLUE_TYPE.exec(Type) ?? []
    return !GLUE_TYPE.test(Type) || Number(precision ?? 1) > 38 || Number(scale ?? 0) > Number(precision ?? 1)
  })
  const template = JSON.stringify(Parameters['storage.location.template'])
  return [
    ...collect([
      [wrong.length > 0, `no Glue type: ${wrong.map(({ Name, Type }) => `${Name} ${Type}`).join()}`],
      [new Set(columns.map(({ Name }) => Name)).size < columns.length, 'a column twice'],
      [
        PartitionKeys.some(
          ({ Name }: { Name: string }) =>
            !template.includes(`\${${Name}}`) || Parameters[`projection.${Name}.type`] === undefined,
        ),
        'a partition key that is not projected',
      ],
    ]),
  ]
}
