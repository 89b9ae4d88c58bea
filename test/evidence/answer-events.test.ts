import { expect, it } from 'vitest'
import { eventsNamedIn } from '../../evidence/answer-events.js'

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)]

it('names the events of a CSV, past what stands in quotes', () => {
  const csv = `n,"event_id",text\r\n1,${A},"x,""\r\n${A}"\r\n2,"${B}",\r\n3,,event_id\r\n`
  expect([...eventsNamedIn(csv)]).toEqual([A, B])
  expect([...eventsNamedIn(csv.replaceAll('\r', '').trimEnd())]).toEqual([A, B])
})

it('names none where no column is of events', () => {
  expect([...eventsNamedIn(`n,text\n${A},event_id\n`), ...eventsNamedIn('')]).toEqual([])
})
