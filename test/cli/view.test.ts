import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { streamsRecord } from '../factories.js'
import { archiveOf, run } from './command-line.js'

describe('itemtrail view', () => {
  it('says which port is taken, and what to do', async () => {
    const archive = await archiveOf([streamsRecord()])
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { exit, out, err } = await run(['view', '--no-open', '--port', String(port), '--archive', archive])
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(`--port ${port} is taken on 127.0.0.1`)
    other.close()
  })

  it('says what cannot be a port, and which archive is not there', async () => {
    expect(await run(['view', '--port', 'http'])).toMatchObject({ exit: 2, err: expect.stringContaining('0 to 65535') })
    const { exit, err } = await run(['view', '--archive', '/not/there'])
    expect([exit, err]).toEqual([3, expect.stringContaining('archive "/not/there" is not there')])
  })
})
