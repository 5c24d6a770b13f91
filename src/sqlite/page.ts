/** Of every database of ours. */
export const PAGE_BYTES = 4096;
