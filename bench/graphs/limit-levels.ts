/** Where the coordinator of the limit is told how many tasks each level of the next graph has. */
export const LEVELS = "limit.levels";
