import { describe, expect, test } from 'vitest'
import { toLambdaRecord } from '../../capture/lambda-record.js'
import { wireRecord } from '../streams-wire.js'

const ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-11-22T00:00:00.000'

describe('toLambdaRecord', () => {
  test('gives the shape that Lambda gets', () => {
    const NewImage = { order_id: { S: 'ORD1' }, total: { N: '12345678901234567890123456789012345678' } }
    const wire = wireRecord({ NewImage, OldImage: { order_id: { S: 'ORD1' } } })
    expect(toLambdaRecord(wire, ARN)).toStrictEqual({ ...wire, eventSourceARN: ARN })
  })

  test('names the identity of a TTL delete as Lambda does', () => {
    const userIdentity = { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' }
    expect(toLambdaRecord(wireRecord({}, { eventName: 'REMOVE', userIdentity }), ARN).userIdentity).toStrictEqual({
      type: 'Service',
      principalId: 'dynamodb.amazonaws.com',
    })
  })

  test('leaves to the transform what it does not know, and refuses a record that nobody could come back to', () => {
    const odd = wireRecord({ NewImage: { when: { T: '2026' } }, ApproximateCreationDateTime: undefined }, { more: 1 })
    expect(toLambdaRecord(odd, ARN)).toStrictEqual({ ...odd, eventSourceARN: ARN })
    expect(() => toLambdaRecord(wireRecord({ SequenceNumber: undefined }), ARN)).toThrow('dynamodb.SequenceNumber')
    expect(() => toLambdaRecord('text', ARN)).toThrow('dynamodb.SequenceNumber')
  })
})
