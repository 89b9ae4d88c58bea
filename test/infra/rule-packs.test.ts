import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, Validations } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { AwsSolutionsChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag'
import { describe, expect, it } from 'vitest'
import type { AuditArchiveProps, CaptureProps } from '../../infra/archive-props.js'
import { archiveOf, ORDERS, TABLE_KINDS } from './archives.js'

interface Violation {
  readonly ruleName: string
  readonly severity?: string
  readonly violatingConstructs: readonly { readonly constructPath?: string }[]
}

/** What the packs find in an archive of imported tables: a table made in the same app is not ours to judge. */
function findingsIn(
  props: Partial<AuditArchiveProps>,
  spoil?: (archive: ReturnType<typeof archiveOf>) => void,
  more: Partial<CaptureProps> = {},
): string[] {
  const app = new App()
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app), new PCIDSS321Checks(app))
  const orders = { ...ORDERS, ...more, keys: ['order_id'], table: TABLE_KINDS.imported }
  const made = archiveOf({ Orders: orders, Returns: { ...orders, capture: 'kinesis' } }, props, app)
  spoil?.(made)
  try {
    app.synth()
  } catch (error) {
    if ((error as Error).name !== 'ValidationFailed') throw error
  }
  const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8'))
  const violations = report.pluginReports.flatMap(
    ({ violations }: { violations: Violation[] }) => violations,
  ) as Violation[]
  return violations
    .filter(({ severity }) => severity === 'error')
    .flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    )
}

describe('AwsSolutions, NIST 800-53 R5 and PCI DSS', () => {
  it.each([
    ['locked after delivery', { lock: { mode: 'governance', days: 2557 } }],
    ['locked by the bucket', { lock: { mode: 'compliance', days: 30, confirm: true, by: 'bucket' } }],
    ['not locked', { lock: { mode: 'none' } }],
    ['compacted', { lock: { mode: 'none' }, compact: true }],
    ['sealed', { lock: { mode: 'none' }, seal: true }],
    ['told by a canary', { lock: { mode: 'none' }, canary: true }],
    ['erasable', { lock: { mode: 'none' } }],
    ['compared each night', { lock: { mode: 'none' } }],
  ] as const)('find nothing open in an archive that is %s', (name, props) => {
    const erasable = [{ subject: 'buyer.id', attributes: ['buyer.name'] }]
    const more = { erasable: { erasable }, 'compared each night': { reconcile: true } }[name as string] ?? {}
    expect(findingsIn(props, undefined, more)).toEqual([])
  })

  it('find a bucket that somebody opened, and a wildcard that nobody explained', () => {
    const findings = findingsIn({ lock: { mode: 'none' } }, ({ archive }) => {
      archive.refused.node.tryRemoveChild('Policy')
      const resources = [archive.refused.arnForObjects('somewhere/*')]
      archive.roles.auditor.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources }))
    })
    expect(findings).toContainEqual(expect.stringMatching(/S3BucketSSLRequestsOnly at Stack\/Audit\/Refused/))
    expect(findings).toContainEqual(expect.stringMatching(/IAM5.*somewhere/))
  })
})
