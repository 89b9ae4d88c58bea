/**
 * Functions as Lambda calls them: each call is a process of its own, which ends with its answer, its time or its death.
 * Developer guide, "Invoke synchronously" and "Configure timeout".
 */
import { initialSkew, Process } from './process.js'
import type { World } from './world.js'

/** What a call is given beside its event. */
export interface Invocation {
  readonly process: Process
  readonly context: { readonly getRemainingTimeInMillis: () => number; readonly invokedFunctionArn: string }
}

export interface SimulatedFunction<Event, Answer> {
  readonly name: string
  readonly timeoutMs: number
  /** Makes the handler anew, as a cold start does, and calls it. */
  readonly run: (event: Event, invocation: Invocation) => Promise<Answer>
}

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function'

/** Calls a function and waits for its answer. Throws where it fails, is not heard in time, or dies. */
export async function invoke<Event, Answer>(
  world: World,
  called: SimulatedFunction<Event, Answer>,
  event: Event,
): Promise<Answer> {
  const { scheduler, faults, metrics, dice, story } = world
  await scheduler.sleep(dice.between(2, 30))
  if (faults.strike('function-throttled')) {
    metrics.put(`Lambda ${called.name} Throttles`, 1)
    throw new Error('Rate Exceeded')
  }
  metrics.put(`Lambda ${called.name} Invocations`, 1)
  if (faults.strike('function-slow')) await scheduler.sleep(dice.between(500, 9000))
  const process = new Process(world, `${called.name} ${world.numbers.next()}`, initialSkew(world))
  try {
    return await answerOf(world, called, event, process)
  } catch (error) {
    metrics.put(`Lambda ${called.name} Errors`, 1)
    story.tell(process.name, `failed: ${(error as Error).message}`)
    throw error
  }
}

function answerOf<Event, Answer>(
  world: World,
  called: SimulatedFunction<Event, Answer>,
  event: Event,
  process: Process,
): Promise<Answer> {
  const { scheduler, faults, dice } = world
  const end = scheduler.now + called.timeoutMs
  const context = {
    getRemainingTimeInMillis: () => Math.max(0, end - scheduler.now),
    invokedFunctionArn: `${ARN}:${called.name}`,
  }
  return new Promise<Answer>((resolve, reject) => {
    const cancel = scheduler.after(called.timeoutMs, () => {
      process.die('its time is over')
      reject(new Error('Task timed out'))
    })
    const over = (settle: () => void) => {
      cancel()
      settle()
    }
    process.onDeath(() => over(() => reject(new Error('Runtime exited'))))
    // whoever calls hears of a failure, and calls again, while the first call goes on
    if (faults.strike('function-doubled'))
      scheduler.after(dice.between(1, 400), () => reject(new Error('connection was lost')))
    const unheard = faults.strike('function-unheard')
    called.run(event, { process, context }).then(
      answer => {
        process.run.isDone = true
        over(() => (unheard ? reject(new Error('answer was lost')) : resolve(answer)))
      },
      error => over(() => reject(error)),
    )
  })
}
