/** What must never happen has happened. */
export class Broken extends Error {}
