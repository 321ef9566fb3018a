import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDirectory } from '../support/receiver.ts';

type Shim = 'journal' | 'disk' | 'clock';

const compiled = new Map<Shim, string>();

/** Compiles a library to preload into the receiver, once; gives back its path. */
export const compileShim = (name: Shim): string => {
  const before = compiled.get(name);
  if (before !== undefined) return before;
  const source = fileURLToPath(new URL(`shim/${name}.c`, import.meta.url));
  const library = join(makeDirectory(), `${name}.so`);
  const { error, status, stderr } = spawnSync(
    'cc',
    ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl', '-lpthread'],
    { encoding: 'utf8' },
  );
  if (error !== undefined)
    throw new Error('this campaign needs a C compiler, which is missing: apt-get install gcc libc6-dev');
  if (status !== 0) throw new Error(`${source} does not compile: ${stderr}`);
  compiled.set(name, library);
  return library;
};
