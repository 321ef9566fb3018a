import { hash } from 'node:crypto';
import { StoreUnusableError } from './errors.ts';

/** What bringing the schema forward came to. */
export interface Migrated {
  /** The schema's version now. */
  readonly version: number;
  /** The versions that were applied just now, in order; none where it was up to date. */
  readonly applied: readonly number[];
}

/** One step of a schema; forward only. Once it is released it is never changed. */
export interface Migration {
  readonly version: number;
  /** The oldest version of this program that may still use the database once this has run. */
  readonly oldestProgram: number;
  readonly sql: string;
}

/** A row of the table `migrations`: what has run on a database. */
export interface AppliedMigration {
  readonly version: number;
  readonly oldest_program: number;
  /** `shapeOf` what was run. */
  readonly shape: string;
}

export const CREATE_MIGRATIONS = `
  create table if not exists migrations (
    version integer primary key,
    oldest_program integer not null,
    shape text not null
  )`;
export const SELECT_MIGRATIONS = 'select version, oldest_program, shape from migrations order by version';
export const INSERT_MIGRATION = 'insert into migrations (version, oldest_program, shape) values ($1, $2, $3)';

/** Tells whether a version that two programs know is the same one. */
export const shapeOf = ({ sql }: Migration): string => hash('sha256', sql, 'hex').slice(0, 16);

/** The version of a program, as databases count it: that of the newest migration it knows. */
const programOf = (migrations: readonly Migration[]): number =>
  Math.max(0, ...migrations.map(({ version }) => version));

/** What has to run yet. Throws a StoreUnusableError where the database is not one that this program may use. */
export const missingMigrations = (
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): readonly Migration[] => {
  const program = programOf(migrations);
  const newest = applied.at(-1);
  if (newest !== undefined && newest.oldest_program > program) {
    throw new StoreUnusableError(
      `the database was migrated to version ${newest.version}, which needs a newer paynotify (at least schema ${newest.oldest_program}; this one knows ${program})`,
    );
  }
  const other = applied.find(({ version, shape }) =>
    migrations.some((migration) => migration.version === version && shapeOf(migration) !== shape),
  );
  if (other !== undefined) throw new StoreUnusableError(UNRELEASED);
  return migrations.filter(({ version }) => version > (newest?.version ?? 0));
};

/** What a database came to on which `missing` has run as well. */
export const toMigrated = (applied: readonly AppliedMigration[], missing: readonly Migration[]): Migrated => {
  const versions = missing.map(({ version }) => version);
  return { version: Math.max(...applied.map(({ version }) => version), ...versions), applied: versions };
};

export const UNRELEASED =
  'the database was made by an unreleased paynotify and has another shape: start with an empty database';

/** For a database that is only read, and so not migrated: it must have the tables that this program knows. */
export const assertReadable = (applied: readonly AppliedMigration[], migrations: readonly Migration[]): void => {
  if (applied.length === 0) throw new StoreUnusableError('this is no database of paynotify');
  if (missingMigrations(applied, migrations).length > 0) {
    throw new StoreUnusableError(
      `the database is at version ${applied.at(-1)?.version} and this paynotify reads ${programOf(migrations)}: run \`paynotify migrate\` on it first`,
    );
  }
};
