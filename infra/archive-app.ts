import type { App } from 'aws-cdk-lib'
import { parseConfiguration, readConfiguration } from '../config/configuration.js'
import { ArchiveStack } from './archive-stack.js'

/**
 * What `-c demo=true` deploys: a table to play with, called as nobody's is, and an archive that can be removed again.
 */
const DEMO = `{
  "lock": { "mode": "none" },
  "environment": "demo",
  "tables": {
    "Orders-demo": {
      "since": "2026-01-01",
      "keys": ["order_id"],
      "actor": "updated_by",
      "columns": { "status": "string", "total": "decimal(12,2)", "city": { "attribute": "shipping.city", "type": "string" } },
      "buffer": { "mb": 64, "seconds": 60 }
    }
  }
}`

/**
 * The stack of a configuration file, for an app with the context `config`, the file; `kept`, a copy of the archive's
 * `config/`; or `demo`. Throws a `ConfigurationError` for what is wrong or missing.
 */
export function archiveApp(app: App): ArchiveStack {
  const context = (name: string): string | undefined => app.node.tryGetContext(name)
  const demo = `${context('demo')}` === 'true'
  const path = demo ? 'the demo' : (context('config') ?? 'itemtrail.config.json')
  const configuration = demo ? parseConfiguration(DEMO, path) : readConfiguration(path)
  const { environment } = configuration
  const kept = context('kept')
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
  return new ArchiveStack(app, environment === undefined ? 'Itemtrail' : `Itemtrail-${environment}`, {
    configuration,
    configurationPath: path,
    demo,
    description: 'Itemtrail: an audit archive for DynamoDB',
    env: { ...(account !== undefined && { account }), ...(region !== undefined && { region }) },
    ...(kept !== undefined && { keptConfigurations: kept }),
  })
}
