import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { TailCheckpoint } from '../../capture/tail-checkpoint.js'
import { checkpointPath, loadCheckpoint, lockTail, saveCheckpoint, type TailLock } from '../../delivery/tail-state.js'
import { temporaryFolder } from './desk.js'

const CHECKPOINT: TailCheckpoint = { table: 'Orders', stream: 'arn', finished: false, saved: 0, shards: {} }

it('keeps a checkpoint for each table, the last one', () => {
  const root = temporaryFolder()
  lockTail(root, 'Orders')
  expect(loadCheckpoint(root, 'Orders')).toBeUndefined()
  saveCheckpoint(root, CHECKPOINT)
  saveCheckpoint(root, { ...CHECKPOINT, saved: 1 })
  expect(loadCheckpoint(root, 'Orders')).toEqual({ ...CHECKPOINT, saved: 1 })
  expect(loadCheckpoint(root, 'Other')).toBeUndefined()
  expect(existsSync(`${checkpointPath(root, 'Orders')}.new`)).toBe(false)
})

it('takes no notice of a checkpoint that was half written, and none of another table', () => {
  const root = temporaryFolder()
  lockTail(root, 'Orders')
  saveCheckpoint(root, CHECKPOINT)
  writeFileSync(`${checkpointPath(root, 'Orders')}.new`, '{"version":')
  expect(loadCheckpoint(root, 'Orders')).toEqual(CHECKPOINT)
  writeFileSync(checkpointPath(root, 'Copied'), readFileSync(checkpointPath(root, 'Orders')))
  expect(() => loadCheckpoint(root, 'Copied')).toThrow('table is "Orders", expected "Copied"')
})

it('lets one process at a time tail a table, and others tail other tables', async () => {
  const root = temporaryFolder()
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(other, 'spawn')
  const folder = join(root, '.tail')
  mkdirSync(folder)
  const lockOf = (pid: number, start: string) => writeFileSync(join(folder, `Orders.${pid}.lock`), start)
  const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21] as string
  lockOf(other.pid as number, existsSync('/proc/self/stat') ? startOf(other.pid as number) : 'unknown')
  expect(lockTail(root, 'Orders')).toBe(other.pid)
  expect(readdirSync(folder)).toEqual([`Orders.${other.pid}.lock`])
  const unrelated = lockTail(root, 'Orders.2') as TailLock
  unrelated.release()

  // a process that has ended, whose parent takes no notice: it is another program by then, the shell would have reaped
  // it
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'])
  const [said] = await once(parent.stdout, 'data')
  const zombie = Number(String(said))
  const stat = () => readFileSync(`/proc/${zombie}/stat`, 'utf8')
  while (existsSync('/proc/self/stat') && !stat().includes(') Z ')) await new Promise(done => setTimeout(done, 5))
  lockOf(zombie, existsSync('/proc/self/stat') ? startOf(zombie) : 'long ago')
  // a process that is gone, and one that was given the id of the one before
  lockOf(other.pid as number, 'long ago')
  lockOf(2 ** 22 + 1, '1')
  const lock = lockTail(root, 'Orders') as TailLock
  expect(readdirSync(folder)).toEqual([`Orders.${process.pid}.lock`])
  lock.release()
  expect(readdirSync(folder)).toEqual([])
  other.kill()
  parent.kill()
})

it.each(['Orders.json', 'Orders.json.new', `Orders.${process.pid}.lock`])('goes through no link: %s', name => {
  const root = temporaryFolder()
  const elsewhere = join(temporaryFolder(), 'elsewhere')
  writeFileSync(elsewhere, 'of somebody else')
  mkdirSync(join(root, '.tail'))
  symlinkSync(elsewhere, join(root, '.tail', name))
  const use = () => {
    loadCheckpoint(root, 'Orders')
    lockTail(root, 'Orders')
    saveCheckpoint(root, CHECKPOINT)
  }
  expect(use).toThrow(`.tail/${name}: is a link, which an archive does not follow`)
  expect(readFileSync(elsewhere, 'utf8')).toBe('of somebody else')
})

it('takes a lock that is a link or a pipe for that of nobody, without opening it', () => {
  const root = temporaryFolder()
  mkdirSync(join(root, '.tail'))
  symlinkSync('/proc/1/stat', join(root, '.tail/Orders.1.lock'))
  execFileSync('mkfifo', [join(root, '.tail/Orders.2.lock')])
  const lock = lockTail(root, 'Orders') as TailLock
  lock.release()
  expect(readdirSync(join(root, '.tail'))).toEqual([])
})
