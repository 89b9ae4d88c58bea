import type { CloudFormationCustomResourceEvent } from 'aws-lambda'
import type { KeyTable } from '../erasure/key-table.js'
import type { Secrets } from '../erasure/kms-secrets.js'
import { createStore } from '../erasure/store-entry.js'
import { answerCloudFormation, failedBy, type ResourceOutcome } from './cloudformation-answer.js'

/**
 * The custom resource that makes the key store in its table, once: a store that is there stays, and nothing removes
 * one. Under other secrets every person would have another token, and what was sealed would never open again.
 */
export function createKeyStoreResource(table: KeyTable, secrets: Pick<Secrets, 'make'>) {
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    let outcome: ResourceOutcome = { Status: 'SUCCESS' }
    try {
      if (event.RequestType !== 'Delete') await createStore(table, secrets)
    } catch (error) {
      outcome = failedBy(error)
    }
    await answerCloudFormation(event, `${table.name}/store`, outcome)
  }
}
