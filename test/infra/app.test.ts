import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { App } from 'aws-cdk-lib'
import { describe, expect, it } from 'vitest'
import { archiveApp } from '../../infra/archive-app.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type Resources, STREAM_ARN } from './archives.js'
import { wholeTemplate } from './whole-template.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** No way out: whatever asks the network is refused at once. */
const OFFLINE = {
  http_proxy: 'http://127.0.0.1:9',
  https_proxy: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
}

function synthesise(...context: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'synth-'))
  const options = ['synth', '--quiet', '--no-notices', '--output', folder, ...context.flatMap(value => ['-c', value])]
  const { status, stderr } = spawnSync(join(ROOT, 'node_modules', '.bin', 'cdk'), options, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder, CDK_DISABLE_CLI_TELEMETRY: 'true', ...OFFLINE },
  })
  return { folder, status, stderr }
}

describe('npx cdk synth', () => {
  it('works offline and without Docker, with a table to play with', () => {
    const { folder, status, stderr } = synthesise('demo=true')
    expect(stderr).not.toMatch(/error/i)
    expect(status).toBe(0)
    const templates = readdirSync(folder).filter(name => name.endsWith('template.json'))
    expect(templates).toContain('Itemtrail-demo.template.json')
    const types = templates.flatMap(name => {
      const { Resources } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { Resources: Resources }
      return Object.values(Resources).map(({ Type }) => Type)
    })
    expect(types).toContain('AWS::DynamoDB::Table')
    expect(types).toContain('AWS::KinesisFirehose::DeliveryStream')

    const assets = readdirSync(folder).map(name => join(folder, name, 'table.json'))
    const tables = assets
      .filter(path => existsSync(path))
      .map(path => JSON.parse(readFileSync(path, 'utf8')) as TableConfiguration)
    expect(tables).toHaveLength(1)
    expect(tables[0]).toMatchObject({
      table: 'Orders-demo',
      since: '2026-01-01',
      keys: [{ column: 'order_id', attribute: 'order_id' }],
    })
    expect(Object.keys(tables[0] as object)).not.toContain('buffer')
  })

  it('attaches to the tables of a configuration file, and protects the stack', () => {
    const config = join(mkdtempSync(join(tmpdir(), 'configuration-')), 'production.json')
    const Orders = { since: '2026-11-22', keys: ['order_id'], streamArn: STREAM_ARN }
    const file = { environment: 'production', lock: { mode: 'governance', days: 30 }, tables: { Orders } }
    writeFileSync(config, JSON.stringify(file))
    const stack = archiveApp(new App({ context: { config } }))
    expect([stack.stackName, stack.terminationProtection]).toEqual(['Itemtrail-production', true])
    const template = wholeTemplate(stack)
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { EventSourceArn: STREAM_ARN })
    template.hasResourceProperties('AWS::Glue::Database', { DatabaseInput: { Name: 'itemtrail_production' } })
    template.resourceCountIs('AWS::DynamoDB::Table', 0)
  })
})
