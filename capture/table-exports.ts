/** Incremental exports of a table to S3, asked for and looked after. */
import { createHash } from 'node:crypto'
import { DescribeExportCommand, type DynamoDBClient, ExportTableToPointInTimeCommand } from '@aws-sdk/client-dynamodb'

/** Where an export goes, and of which table it is. */
export interface ExportTarget {
  readonly tableArn: string
  readonly bucket: string
  /** Without "/" at its end. */
  readonly prefix: string
  /** The key that it is encrypted with. */
  readonly keyArn: string
}

/** How far an export is. */
export type ExportProgress = { readonly kind: 'running' | 'done' } | { readonly kind: 'failed'; readonly why: string }

/**
 * Asks for the changes of a window, in milliseconds since 1970, and gives the export's ARN. Asked twice within eight
 * hours, with the same `attempt`, it is one export.
 */
export async function startExport(
  client: DynamoDBClient,
  { tableArn, bucket, prefix, keyArn }: ExportTarget,
  [fromMs, toMs]: readonly [number, number],
  attempt: number,
): Promise<string> {
  const named = createHash('sha256').update([tableArn, bucket, prefix, fromMs, toMs, attempt].join('\n'))
  const { ExportDescription } = await client.send(
    new ExportTableToPointInTimeCommand({
      TableArn: tableArn,
      ClientToken: named.digest('hex').slice(0, 36),
      S3Bucket: bucket,
      S3Prefix: prefix,
      S3SseAlgorithm: 'KMS',
      S3SseKmsKeyId: keyArn,
      ExportFormat: 'DYNAMODB_JSON',
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: {
        ExportFromTime: new Date(fromMs),
        ExportToTime: new Date(toMs),
        ExportViewType: 'NEW_AND_OLD_IMAGES',
      },
    }),
  )
  const arn = ExportDescription?.ExportArn
  if (arn === undefined) throw new Error(`export of ${tableArn} came without an ARN`)
  return arn
}

/** How far an export is. */
export async function lookAtExport(client: DynamoDBClient, exportArn: string): Promise<ExportProgress> {
  const { ExportDescription } = await client.send(new DescribeExportCommand({ ExportArn: exportArn }))
  const { ExportStatus, FailureCode, FailureMessage } = ExportDescription ?? {}
  if (ExportStatus === 'COMPLETED') return { kind: 'done' }
  if (ExportStatus === 'FAILED') return { kind: 'failed', why: `${FailureCode}: ${FailureMessage}` }
  return { kind: 'running' }
}

/** The id of an export, which its folder is called by. */
export function exportId(exportArn: string): string {
  return exportArn.slice(exportArn.lastIndexOf('/') + 1)
}
