import { describe, expect, it } from 'vitest'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { transformRecord } from '../../transform/transform.js'
import {
  ARRIVAL,
  type Attributes,
  recordBytes,
  type StreamsFields,
  streamsRecord,
  TIME_TO_LIVE,
  tableConfiguration,
} from '../factories.js'

describe('actor', () => {
  const table = tableConfiguration({ actor: ['updated_by'] })
  const by = (name: string): Attributes => ({ order_id: { S: 'ORD12345' }, updated_by: { S: name } })

  it('is the configured attribute of the new image, never of the old one, whose writer is told beside it', () => {
    expect(actorOf({ OldImage: by('anna'), NewImage: by('bert') }, table)).toEqual(['bert', 'new_image', 'anna'])
    expect(actorOf({ OldImage: by('anna'), NewImage: by('') }, table)).toEqual([undefined, 'unknown', 'anna'])
    expect(actorOf({ eventName: 'REMOVE', OldImage: by('anna'), NewImage: undefined }, table)).toEqual([
      undefined,
      'unknown',
      'anna',
    ])
  })

  it('is the recorded identity before the last known writer, who did not delete', () => {
    const identified = { OldImage: by('anna'), userIdentity: TIME_TO_LIVE }
    expect(actorOf(identified, table)).toEqual(['dynamodb.amazonaws.com', 'service', 'anna'])
  })

  it('is the service where no image names anybody', () => {
    const identified = { OldImage: by(''), userIdentity: TIME_TO_LIVE }
    expect(actorOf(identified, table)).toEqual(['dynamodb.amazonaws.com', 'service', undefined])
    expect(actorOf({ ...identified, OldImage: by('anna') }, tableConfiguration())).toEqual([
      'dynamodb.amazonaws.com',
      'service',
      undefined,
    ])
  })

  it('is unknown where nothing names anybody', () => {
    expect(actorOf({ OldImage: by('') }, table)).toEqual([undefined, 'unknown', undefined])
  })
})

describe('a value that stands in a column as JSON', () => {
  // an object of JavaScript puts names of digits first and in numeric order, the canonical form does not
  const value = { M: { 9: { S: 'nine' }, 10: { S: 'ten' }, a: { S: 'a' } } }
  const canonical = '{"M":{"10":{"S":"ten"},"9":{"S":"nine"},"a":{"S":"a"}}}'
  const NewImage = { order_id: { S: 'ORD12345' }, value }

  it('is in canonical form in a json column', () => {
    const row = rowOf(
      { NewImage },
      tableConfiguration({ columns: [{ column: 'value', path: ['value'], type: 'json' }] }),
    )
    expect(row.new_value).toBe(canonical)
  })

  it('is in canonical form in misfits', () => {
    const row = rowOf(
      { NewImage },
      tableConfiguration({ columns: [{ column: 'value', path: ['value'], type: 'string' }] }),
    )
    expect(row.misfits).toBe(`{"new_value":${canonical}}`)
  })

  it('is in canonical form as an actor', () => {
    expect(rowOf({ NewImage }, tableConfiguration({ actor: ['value'] })).actor).toBe(canonical)
  })
})

function actorOf(fields: StreamsFields, table: TableConfiguration): readonly unknown[] {
  const { actor, actor_source, last_writer } = rowOf(fields, table)
  return [actor, actor_source, last_writer]
}

function rowOf(fields: StreamsFields, table: TableConfiguration): Record<string, unknown> {
  const result = transformRecord(recordBytes(streamsRecord(fields)), ARRIVAL, table)
  if (result.kind === 'refused') throw new Error(result.reason)
  return JSON.parse(result.lines) as Record<string, unknown>
}
