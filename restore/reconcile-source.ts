import type { TableConfiguration } from '../transform/table-configuration.js'
import type { SecondLook } from './reconciliation.js'
import type { StateStore } from './state-store.js'

/** What an archive is compared with. */
export interface ReconcileSource {
  readonly kind: 'scan' | 'full export' | 'incremental export'
  /** As in a fact. */
  readonly source: string
  readonly fromUs: number
  /** Known once `fill` has returned. */
  readonly toUs: () => number
  readonly keys: readonly string[] | undefined
  /** False where an incremental export has no old images. */
  readonly tellsBefore: boolean
  /** Puts all that is told into the store. */
  fill(store: StateStore, table: TableConfiguration): Promise<void>
  /** Looks at an item again; undefined for what is at rest. */
  readonly lookAgain: ((itemKey: string, table: TableConfiguration) => Promise<SecondLook>) | undefined
}
