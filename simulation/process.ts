import type { Call, CallEnding, Run } from './calls.js'
import type { Cancel } from './scheduler.js'
import type { World } from './world.js'

/** What a dead process waits for. */
const NEVER = new Promise<never>(() => {})

/**
 * A process of ours in the world. It can die at each step that it takes outside of itself: what it had asked for may
 * still be done, and nobody is told.
 */
export class Process {
  isAlive = true
  /** What it asks for. */
  readonly run: Run
  private killed: (() => void) | undefined
  private endWork: (why: 'dead') => void = () => {}
  private readonly dead = new Promise<'dead'>(resolve => {
    this.endWork = resolve
  })

  /** `skewMs` is by how much its clock is ahead of the world's, until it jumps. */
  constructor(
    readonly world: World,
    readonly name: string,
    private skewMs = 0,
  ) {
    this.run = world.calls.begin(name)
  }

  /** Milliseconds since 1970, by its own clock. */
  readonly now = (): number => Math.floor(this.world.scheduler.now) + this.skewMs

  /** As when time is asked of a server after long, forward or back. */
  private mayJump(): void {
    if (!this.world.faults.strike('clock-jumps')) return
    this.skewMs = skewOf(this.world)
    this.world.story.tell(this.name, `has a clock that is ${this.skewMs} ms ahead`)
  }

  readonly sleep = (ms: number): Promise<void> => new Promise(resolve => this.after(ms, resolve))

  readonly after = (ms: number, callBack: () => void): Cancel =>
    this.world.scheduler.after(ms, () => {
      if (this.isAlive) callBack()
    })

  /** Called when it dies. */
  onDeath(killed: () => void): void {
    this.killed = killed
  }

  die(why: string): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.world.story.tell(this.name, `dies, ${why}`)
    this.killed?.()
    this.endWork('dead')
  }

  /** Does something with files of its own; the world stands still meanwhile. */
  async work<T>(done: Promise<T>): Promise<T> {
    const ended = await this.world.scheduler.during(Promise.race([done.then(value => ({ value })), this.dead]))
    return ended === 'dead' ? NEVER : ended.value
  }

  /** A place in such work at which it may die. */
  async mayDie(): Promise<void> {
    this.mayJump()
    if (!this.world.faults.strike('function-killed')) return
    this.die('at work')
    await NEVER
  }

  /**
   * Asks a service: the request travels, the service does it, the answer travels. The process may die before, between
   * and after.
   */
  async call<T>(service: Service<T>): Promise<T> {
    const { scheduler, dice, faults } = this.world
    this.mayJump()
    const deadly = faults.strike('function-killed') ? dice.pick(['asking', 'waiting', 'answered'] as const) : undefined
    const atMs = scheduler.now
    return new Promise<T>((resolve, reject) => {
      const [there, back] = [1 + dice.between(0, 30), 1 + dice.between(0, 30)]
      if (deadly === 'asking') this.die('before its request left')
      if (!this.isAlive) return
      scheduler.after(there + (service.slowMs ?? 0), () => {
        if (deadly === 'waiting') this.die('while it waited for an answer')
        const answer = attempt(service.serve)
        const isUnheard = service.isUnheard?.() === true
        this.note(service, { atMs, travelMs: there + back, ending: endingBy(service, answer, isUnheard) })
        if (isUnheard) return
        this.after(back, () => {
          if (deadly === 'answered') return this.die('when the answer came')
          if (answer.kind === 'failed') reject(answer.error)
          else resolve(answer.value)
        })
      })
    })
  }

  private note<T>({ operation, about }: Service<T>, call: Pick<Call, 'atMs' | 'travelMs' | 'ending'>): void {
    this.run.note({ operation, about, ...call })
  }
}

function endingBy<T>(service: Service<T>, answer: Attempt<T>, isUnheard: boolean): CallEnding {
  if (isUnheard) return 'unheard'
  if (answer.kind === 'failed' && FAULTS.has(answer.error as object)) return 'failed'
  if (answer.kind === 'done' && service.isPartial?.(answer.value)) return 'failed'
  return (service.slowMs ?? 0) > 0 ? 'late' : 'done'
}

/** What a run tells at its end, or how it failed; undefined where its process died. */
export function endingOf(process: Process, task: Task): Promise<string | undefined> {
  return new Promise(resolve => {
    process.onDeath(() => resolve(undefined))
    task(process).then(
      told => {
        process.run.isDone = true
        resolve(told)
      },
      (error: Error) => resolve(`failed: ${error.message}`),
    )
  })
}

/** Somebody runs something by its name; how that ended is told. */
export async function runBy(who: string, name: string, world: World, task: Task): Promise<void> {
  const process = new Process(world, `${name} ${world.numbers.next()}`, initialSkew(world))
  world.story.tell(who, `${name} ${(await endingOf(process, task)) ?? 'was killed'}`)
}

/** By how much the clock of a machine is ahead when a process begins on it. */
export function initialSkew(world: World): number {
  return world.faults.strike('clock-behind') ? skewOf(world) : 0
}

const MOST_SKEW_MS = 600_000

/** Milliseconds: seconds where the clock is set now and then, minutes where nobody does. */
function skewOf({ dice }: World): number {
  const most = dice.chance(0.3) ? 2000 : MOST_SKEW_MS
  return dice.between(-most, most)
}

/** What a process does from its beginning to its end, which it tells. */
type Task = (process: Process) => Promise<string>

/** The time of a process, as whoever calls patiently is given it. */
export function timeOf(process: Process) {
  return { sleep: process.sleep, after: process.after, random: process.world.dice.random }
}

/** A request that a service gets. */
export interface Service<T> {
  /** Its name and what is asked of it, such as `s3 GetObject`. */
  readonly operation: string
  /** What is asked about. */
  readonly about: string
  /** What it does, at one moment. */
  readonly serve: () => T
  readonly slowMs?: number
  /** True of an answer that leaves by a fault some of what was asked. @default - none does */
  readonly isPartial?: (answer: T) => boolean
  /** True where nobody hears its answer. @default - heard */
  readonly isUnheard?: () => boolean
}

type Attempt<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'failed'; readonly error: unknown }

function attempt<T>(serve: () => T): Attempt<T> {
  try {
    return { kind: 'done', value: serve() }
  } catch (error) {
    return { kind: 'failed', error }
  }
}

/** What a command of the SDK asks for, by the name of its class. */
export function operationOf(command: string): string {
  return command.replace(/Command$/, '')
}

const FAULTS = new WeakSet<object>()

/** The same of a service that fails, or asks for time: it says nothing about the request. */
export function passingError(name: string, status: number): Error {
  const error = serviceError(name, status)
  FAULTS.add(error)
  return error
}

/** An error as a client of AWS throws it. */
export function serviceError(name: string, status: number): Error {
  return Object.assign(new Error(`${name} (simulated)`), { name, $metadata: { httpStatusCode: status } })
}
