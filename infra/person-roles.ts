import { Stack, Tags } from 'aws-cdk-lib'
import type { IPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { KEY_USE_TAG, type KeyUse } from '../config/key-store.js'
import { type ArchiveParts, toAsk, toKeepFacts, toReadRefused } from './permissions.js'
import type { PersonKeys } from './person-keys.js'
import { peopleRole } from './roles.js'

export interface PersonRolesProps extends ArchiveParts {
  readonly keys: PersonKeys
  /** Who may take a role on, if their own policies allow it besides. @default - the account */
  readonly people?: IPrincipal
}

/** What people may do about persons, apart from one another and from all other roles. */
export class PersonRoles extends Construct {
  /** Destroys keys, holds that back, and keeps the facts of it. It opens no value. */
  readonly eraser: Role
  /** Opens what is sealed. It changes nothing. */
  readonly revealer: Role

  constructor(scope: Construct, id: string, { keys, people, ...parts }: PersonRolesProps) {
    super(scope, id)
    const stack = Stack.of(this)
    const ask = toAsk(stack, parts)
    const make = (name: string, use: KeyUse, does: string, statements: PolicyStatement[]) => {
      const role = peopleRole(this, name, does, statements, people)
      Tags.of(role).add(KEY_USE_TAG, use)
      return role
    }
    this.eraser = make('Eraser', 'erase', 'erases persons, and holds that back', [
      ...ask,
      ...toReadRefused(parts),
      ...toKeepFacts(stack, parts),
      ...keys.toErase(),
    ])
    this.revealer = make('Revealer', 'reveal', 'asks questions, and opens what is sealed', [...ask, ...keys.toReveal()])
  }
}
