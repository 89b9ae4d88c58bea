import type { DeployedFact } from './deployed-facts.js'

/** How a check ends; `note` is what nobody promised otherwise, and somebody should know. */
export type CheckVerdict = 'ok' | 'note' | 'wrong' | 'unchecked'

/** What a check found, and what it should have found. */
export interface Judgement {
  readonly verdict: CheckVerdict
  readonly found: string
  readonly promised: string
}

/** One check of something: a name, a pure judgement, and what to do when it is wrong. */
export interface Check<Subject> {
  readonly name: string
  readonly judge: (subject: Subject) => Judgement
  readonly todo: string
}

/** The answer of one check. */
export interface DoctorFinding extends Judgement {
  readonly subject: string
  readonly check: string
  /** Null where nothing is to be done. */
  readonly todo: string | null
}

/** As promised. */
export function ok(found: string, promised: string): Judgement {
  return { verdict: 'ok', found, promised }
}

/** Not as one might think, and no promise is broken. */
export function noted(found: string, promised: string): Judgement {
  return { verdict: 'note', found, promised }
}

/** As promised, or not. */
export function judged(isRight: boolean, found: string, promised: string): Judgement {
  return { verdict: isRight ? 'ok' : 'wrong', found, promised }
}

/** Nobody can tell, and why. */
export function unchecked(why: string, promised: string): Judgement {
  return { verdict: 'unchecked', found: why, promised }
}

/** Judges a fact if it was found. */
export function known<T>(fact: DeployedFact<T>, promised: string, judge: (value: T) => Judgement): Judgement {
  return fact.kind === 'found' ? judge(fact.value) : unchecked(fact.why, promised)
}

/** What is promised of the age of the newest of something. */
export interface AgeRule {
  readonly mostMs: number
  readonly promised: string
  /** What is told where there is none. */
  readonly none: string
  readonly found: (ageMs: number) => string
}

/** Judges an age in milliseconds, undefined where there is nothing that has one. */
export function judgeAge(age: DeployedFact<number | undefined>, { mostMs, promised, none, found }: AgeRule): Judgement {
  return known(age, promised, ageMs =>
    ageMs === undefined ? judged(false, none, promised) : judged(ageMs <= mostMs, found(ageMs), promised),
  )
}
