/** The names of everything that is kept in the table `settings`. */
export const SETTING = {
  /** The rules by which every order was derived last (`nameOfRules`). */
  rules: 'rules',
  /** How far the copy into this database has come, as JSON. */
  copy: 'copy',
  /** A service has started on this database since a copy into it began. */
  copyInUse: 'copy in use',
  /** Which payment methods were reported today, as JSON (upkeep/methods.ts). */
  methods: 'methods',
  /** What the service has seen lately, as JSON (upkeep/sightings.ts). */
  seen: 'seen',
  /** Written to learn whether the database can be written. */
  probe: 'probe',
  /** SQLite: the last position of the change feed. */
  position: 'position',
  /** PostgreSQL: added to every transaction number, so that positions grow also after a dump was restored. */
  feedBase: 'feed_base',
} as const;
