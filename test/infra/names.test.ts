import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { capturesTable } from '../../aws/stack-outputs.js'
import { archiveOf, nestedTemplates, ORDERS, type Resources } from './archives.js'

const NASTY = {
  'names that come to one in SQL': [
    ...['Orders', 'orders', 'or.ders', 'or_ders'],
    ...['orders_deliveries', 'orders__by_item', 'orders__checkpoints', 'orders__answers'],
  ],
  'names of parts of the archive': [
    'Key',
    'Roles',
    'Archive',
    'Workgroup',
    'Tables',
    'Derived',
    'Default',
    'Resource',
    'KeyReplayStream',
  ],
  'words, digits, signs and length': ['Order', 'Group', '2fa-tokens', '...', '___', '_.-', '.hidden', 'x'.repeat(255)],
} as const

function stackOf(names: readonly string[], options: { readonly compact: boolean }) {
  const tables = Object.fromEntries(names.map(name => [name, { ...ORDERS }]))
  return archiveOf(tables, options).stack
}

function resourcesOf(names: readonly string[]) {
  const stack = stackOf(names, { compact: true })
  const templates = [Template.fromStack(stack), ...nestedTemplates(stack)]
  return templates.flatMap(template => Object.values(template.toJSON().Resources as Resources))
}

describe('an archive of tables', () => {
  it('tells by its outputs which it captures, whatever they are called', () => {
    const names = ['or.ders', 'KeyReplayStream', 'Tables', 'Resource', 'Order', '2fa-tokens', '___', 'x'.repeat(255)]
    const declared = Template.fromStack(stackOf(names, { compact: false })).toJSON().Outputs as Readonly<
      Record<string, unknown>
    >
    const outputs = new Map(Object.keys(declared).map(key => [key, 'x']))
    expect(names.filter(name => !capturesTable(outputs, name))).toEqual([])
    const others = ['Parcels', 'Order_', 'Orderses', 'tokens', 'x'.repeat(254)]
    expect(others.filter(name => capturesTable(outputs, name))).toEqual(['Order_'])
    // nobody knows
    expect(capturesTable(new Map([['AuditArchiveBucket', 'x']]), 'Parcels')).toBe(true)
  })

  it.each(Object.entries(NASTY))('with %s is synthesised, and no name is there twice', (_, names) => {
    const all = resourcesOf(names)
    const of = (type: string) => all.filter(({ Type }) => Type === type).map(({ Properties }) => Properties)
    const tables = of('AWS::Glue::Table').map(({ TableInput }) => TableInput)
    const glue = tables.map(({ Name }) => Name as string)
    expect(new Set(glue).size).toBe(5 * names.length)
    for (const name of glue) expect(name).toMatch(/^[a-z0-9_]{1,255}$/)

    for (const view of tables.filter(({ TableType }) => TableType === 'VIRTUAL_VIEW')) {
      const [, definition = ''] = /^\/\* Presto View: (\S+) \*\/$/.exec(view.ViewOriginalText) ?? []
      const { originalSql, columns } = JSON.parse(Buffer.from(definition, 'base64').toString())
      expect(glue).toContain(`${view.Name}_deliveries`)
      expect(originalSql).toContain(`from "audit"."${view.Name}_deliveries"`)
      expect(columns.map(({ name }: { name: string }) => name)).toEqual(
        view.StorageDescriptor.Columns.map(({ Name }: { Name: string }) => Name),
      )
    }

    const statements = of('AWS::Athena::PreparedStatement').map(({ StatementName }) => StatementName as string)
    expect(new Set(statements).size).toBe(statements.length)
    for (const name of statements) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_@:]{0,255}$/)
    for (const { Name } of of('AWS::Athena::NamedQuery')) expect(Name.length).toBeLessThanOrEqual(128)
    const texts = of('AWS::Athena::NamedQuery').map(({ Name }) => Name)
    expect(new Set(texts).size).toBe(texts.length)
    for (const { Description } of of('AWS::Lambda::Function'))
      expect((Description ?? '').length).toBeLessThanOrEqual(256)
    for (const { Description } of of('AWS::IAM::Role')) expect((Description ?? '').length).toBeLessThanOrEqual(1000)
    for (const { Description } of of('AWS::Events::Rule')) expect((Description ?? '').length).toBeLessThanOrEqual(512)
  })

  it('calls a table plainly that has no neighbours', () => {
    const { stack, archive } = archiveOf({ Orders: ORDERS }, { compact: true })
    const { auditTable } = archive.tables[0] ?? expect.fail('none')
    expect(stack.resolve(auditTable.tableName)).toBe('orders_deliveries')
    expect(stack.resolve(auditTable.named.identifier)).toBe('orders')
  })
})
