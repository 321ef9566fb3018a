import { getCompileCacheDir } from 'node:module';
import { dirname, resolve } from 'node:path';
import { DEFAULT_DATABASE_URL, type Environment, sourceOf } from '../environment.ts';
import { fileOf, makeDirectory } from '../store/sqlite/file.ts';

/**
 * Starts this command line again in the place of this process, under Node's permission model: no child processes, no
 * addons, no inspector, and files are written below the database's directory only. Does not return, but where the
 * process is confined already or the system cannot replace a process (Windows).
 *
 * Confined, Node also refuses `fsync`, `fdatasync` and `fchmod` of a descriptor (SQLite has its own), and symbolic
 * links. A thread that is given an `execArgv` of its own is not confined.
 */
export const confine = (env: Environment): void => {
  if (process.permission !== undefined || process.execve === undefined || process.platform === 'win32') return;
  const { execPath, execArgv, argv } = process;
  process.execve(execPath, [execPath, ...execArgv, ...permissions(env), ...argv.slice(1)], { ...env });
};

const permissions = (env: Environment): readonly string[] => [
  '--permission',
  // Keys, secrets and certificates may be in any file.
  '--allow-fs-read=*',
  ...writable(env).map((directory) => `--allow-fs-write=${directory}`),
  // SQLite runs in a thread.
  '--allow-worker',
  // Node 24 does not confine the network, and does not know the option.
  ...(process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
  // Node warns of `--allow-worker` and of what it calls experimental, at every start and for every thread.
  '--disable-warning=SecurityWarning',
  '--disable-warning=ExperimentalWarning',
];

/** The directory of the database, and Node's compile cache, which is only read where it may also be written. */
const writable = (env: Environment): readonly string[] => {
  const file = databaseFile(env);
  const cache = getCompileCacheDir();
  return [...(file === null ? [] : [madeDirectory(file)]), ...(cache === undefined ? [] : [cache])];
};

/** Node lets a process write into a directory only where it was there when the process started. */
const madeDirectory = (file: string): string => {
  const directory = dirname(resolve(file));
  try {
    makeDirectory(directory);
  } catch {
    // The service tries again, and says what is wrong.
  }
  return directory;
};

/** Null with PostgreSQL. The whole configuration is read, and what is wrong with it said, by the process to come. */
const databaseFile = (env: Environment): string | null => {
  const url = sourceOf(env).text('DATABASE_URL') ?? DEFAULT_DATABASE_URL;
  return /^sqlite:./.test(url) ? fileOf(url) : null;
};
