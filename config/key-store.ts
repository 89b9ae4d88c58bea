/** How a key store lies in a table of DynamoDB, and how long what is in it lasts. No client is needed to know it. */

/** The key attributes of the table: whose it is, and which of his entries. */
export const KEY_TABLE_KEYS = { partition: 'subject', sort: 'entry' } as const

/** Whose entry the store itself is: no token looks like it. */
export const STORE_ENTRY = { subject: 'store', entry: 'store' } as const

/** Of how many days the table can be restored: so long a destroyed key can still be somewhere. */
export const KEY_BACKUP_DAYS = 7

/** For how long a function uses what it has read of the table, in minutes. */
export const KEY_CACHE_MINUTES = 5

/** The longest that one invocation of a function which seals can take, in minutes. */
export const SEALING_MINUTES = 2

/** What is sealed by KMS on its own, so that a role can be let at the one and not the other. */
export type SecretPurpose = 'tokens' | 'keys'

/** The name of a secret's purpose in what KMS is told, which policies ask for. */
export const PURPOSE = 'itemtrail:purpose'

/** What KMS has to be told again to open a secret: what it is for, and the one store that has it. */
export function secretContext(purpose: SecretPurpose, store: string): Record<string, string> {
  return { [PURPOSE]: purpose, 'itemtrail:store': store }
}

/** The tag of a role by which table and key let it in. */
export const KEY_USE_TAG = 'itemtrail:keys'

/** What a role is let in for: it seals values, erases persons, reads sealed values, or makes the store. */
export type KeyUse = 'seal' | 'erase' | 'reveal' | 'make'
