import { StoreUnusableError } from './store.ts';

/** One step of a schema; forward only. */
export interface Migration {
  readonly version: number;
  /** The oldest version of this program that may still use the database once this has run. */
  readonly oldestProgram: number;
  readonly sql: string;
}

/** What a database says of its schema; zeros where it has none. */
export interface SchemaVersion {
  readonly version: number;
  /** The oldest program that may use it, by the newest version that it knows. */
  readonly oldest: number;
}

/** Throws where the database needs a newer program than this one. */
export const assertNotTooNew = ({ version, oldest }: SchemaVersion, program: number): void => {
  if (oldest <= program) return;
  throw new StoreUnusableError(
    `the database was migrated to version ${version}, which needs a newer paynotify (at least schema ${oldest}; this one knows ${program})`,
  );
};

/** For a database that is only read, and so not migrated: it must have the tables that this program knows. */
export const assertReadable = (schema: SchemaVersion, program: number): void => {
  assertNotTooNew(schema, program);
  if (schema.version === 0) throw new StoreUnusableError('this is no database of paynotify');
  if (schema.version < program) {
    throw new StoreUnusableError(
      `the database is at version ${schema.version} and this paynotify reads ${program}: run \`paynotify migrate\` on it first`,
    );
  }
};
