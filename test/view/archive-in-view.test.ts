import { describe, expect, it } from 'vitest'
import type { OpenArchive } from '../../library/archive.js'
import { openArchive } from '../../library/open-archive.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { ArchiveInView } from '../../view/archive-in-view.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { change, STORY, STORY_TABLE } from '../queries/story.js'

async function storyInView(open: (signal: AbortSignal) => Promise<OpenArchive>): Promise<ArchiveInView> {
  return new ArchiveInView(open, 0)
}

async function storyFolder(): Promise<string> {
  const root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  return root
}

describe('an archive in view', () => {
  it('closes while a statement still runs, and ends that', async () => {
    const root = await storyFolder()
    const view = await storyInView(signal => openArchive(root, { signal }))
    const rows = deliveriesOf({ table: 'Orders' })
    // some hundred millions of rows, which nobody would wait for
    const endless = `select sum(a.event_time_us + b.event_time_us) as n from ${Array.from('abcdefghi', name => `${rows} as ${name}`).join(', ')}`
    let running: Promise<unknown> = Promise.resolve()
    await view.look(async ({ archive, once }) => {
      running = once('endless', () => archive.engine.run(endless)).catch(error => error)
    })
    await view.close()
    expect(String(await running)).toContain('the statement was stopped')
  }, 20_000)

  it('opens an archive that has grown once, and closes the one before, whoever looks meanwhile', async () => {
    const root = await storyFolder()
    let [opened, closed] = [0, 0]
    const view = await storyInView(async signal => {
      const archive = await openArchive(root, { signal })
      const close = archive.close.bind(archive)
      opened++
      return Object.assign(archive, {
        close: () => {
          closed++
          return close()
        },
      })
    })
    await view.look(async () => {})
    await ingestRecords(root, [change('G', '21T11:00:00', undefined, { n: { N: '1' } })])
    await Promise.all(Array.from({ length: 5 }, () => view.look(async () => {})))
    expect([opened, closed]).toEqual([2, 1])
    await view.close()
    expect(closed).toBe(2)
  })

  it('keeps a few of what has rows, those that were asked for last', async () => {
    const root = await storyFolder()
    const view = await storyInView(signal => openArchive(root, { signal }))
    let made = 0
    const make = async () => ++made
    await view.look(async ({ once }) => {
      await once('verdict of all', make)
      for (let i = 0; i < 30; i++) await once(`history ${i}`, make)
      expect(await once('history 29', make)).toBe(31)
      expect(await once('history 0', make)).toBe(32)
      expect(await once('verdict of all', make)).toBe(1)
    })
    await view.close()
  })

  it('tells a later look what failed when nobody waited for it', async () => {
    const root = await storyFolder()
    const view = await storyInView(signal => openArchive(root, { signal }))
    let tries = 0
    const fail = () => {
      tries++
      return Promise.reject(new Error('it cannot be read'))
    }
    await view.look(async ({ once }) => void once('a', fail).catch(() => {}))
    await new Promise(resolve => setTimeout(resolve, 50))
    await expect(view.look(({ once }) => once('a', fail))).rejects.toThrow('it cannot be read')
    expect(tries).toBe(1)
    await view.close()
  })
})
