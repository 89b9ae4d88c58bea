import { internalQuery } from '../queries/catalog.js'

/**
 * Which changes the states of items at any later moment depend on, of all up to the end of a day. Of each item: the last
 * change that stands alone in its step, wrote, and has the greatest time so far, and all after it in order. Whatever
 * comes later, the state that such a change enters is known from it, so what was before cannot matter. An item without
 * one keeps everything. Where an item was seen in several sources, the first and the last change of each source stay too,
 * because they decide how the sources are ordered; so do all changes without a time, whose repeats may come any day.
 */
export const NEEDED_CHANGES = internalQuery('needed-changes')
