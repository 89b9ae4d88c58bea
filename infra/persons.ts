import { CfnOutput, Tags } from 'aws-cdk-lib'
import type { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { KEY_USE_TAG, type KeyUse } from '../config/key-store.js'
import { PersonKeyEvents } from './person-key-events.js'
import { PersonKeys } from './person-keys.js'
import { PersonRoles, type PersonRolesProps } from './person-roles.js'
import type { Roles } from './roles.js'

export interface PersonsProps extends Omit<PersonRolesProps, 'keys'> {
  /** Told of what is done to the keys themselves. */
  readonly topic: ITopic
}

/** What an archive with erasable values has besides: keys, whoever may use them, and who is told of it. */
export class Persons extends Construct {
  readonly keys: PersonKeys
  readonly roles: PersonRoles

  constructor(scope: Construct, id: string, { topic, ...parts }: PersonsProps) {
    super(scope, id)
    const { key } = parts
    this.keys = new PersonKeys(this, 'Keys', { key })
    this.roles = new PersonRoles(this, 'Roles', { ...parts, keys: this.keys })
    new PersonKeyEvents(this, 'Events', { keys: this.keys, topic })
    const outputs = {
      KeyTable: [this.keys.table.tableName, 'the keys of persons'],
      EraserRole: [this.roles.eraser.roleArn, 'erases persons, and holds that back'],
      RevealerRole: [this.roles.revealer.roleArn, 'asks questions, and opens what is sealed'],
    } as const
    for (const [name, [value, description]] of Object.entries(outputs))
      new CfnOutput(this, name, { value, description })
  }

  /** Lets roles of the archive at the keys of what they read and write of the tables themselves, which is clear. */
  letIn({ baseliner, restorer }: Roles): void {
    allow(baseliner, 'seal', this.keys.toSeal())
    allow(restorer, 'reveal', this.keys.toReveal())
  }
}

function allow(role: Role, use: KeyUse, statements: readonly PolicyStatement[]): void {
  Tags.of(role).add(KEY_USE_TAG, use)
  for (const statement of statements) role.addToPolicy(statement)
}
