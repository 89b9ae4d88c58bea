import { COLOUR_OPTION } from './colour.js'
import { ZONE_OPTION } from './zone.js'

/** Flags of every command. */
export const COMMON_OPTIONS = [ZONE_OPTION, COLOUR_OPTION] as const
