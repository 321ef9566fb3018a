import { statSync } from 'node:fs';
import { type Environment, SECRETS } from './config.ts';

const READ_BY_ALL = 0o004;
const WRITTEN_BY_ALL = 0o002;

/** Files that hold secrets, or keys that others must not exchange. */
const filesOf = (
  env: Environment,
): readonly { readonly name: string; readonly file: string; readonly secret: boolean }[] => {
  const named = [...SECRETS.map((name) => `${name}_FILE`), 'ANTOM_CLIENTS_FILE'].flatMap((name) => {
    const file = env[name] ?? '';
    // APO's public key is no secret.
    return file === '' ? [] : [{ name, file, secret: name !== 'ANTOM_PUBLIC_KEY_FILE' }];
  });
  return [...named, { name: 'in the working directory', file: '.env', secret: true }];
};

/** What every user of this machine may read or write and should not, one sentence a file, with the remedy. */
export const exposedFiles = (env: Environment): readonly string[] =>
  filesOf(env).flatMap(({ name, file, secret }) => {
    const mode = modeOf(file);
    const verbs = [
      ...(secret && (mode & READ_BY_ALL) !== 0 ? ['read'] : []),
      ...((mode & WRITTEN_BY_ALL) !== 0 ? ['write'] : []),
    ];
    if (verbs.length === 0) return [];
    const digits = (mode & 0o777).toString(8).padStart(4, '0');
    return [
      `${file} (${name}) has mode ${digits}: every user of this machine may ${verbs.join(' and ')} it; chmod 600 ${file}`,
    ];
  });

/** 0 where there is no such file, which the configuration reports, and on Windows, whose modes say nothing. */
const modeOf = (file: string): number => {
  if (process.platform === 'win32') return 0;
  try {
    return statSync(file).mode;
  } catch {
    return 0;
  }
};
