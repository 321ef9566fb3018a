import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Writes the SBOM (CycloneDX) of what `npm ci --omit=dev` installs to standard output. `npm sbom --omit=dev` also
 * leaves out what production shares with development, pg among it; so npm is given a lock file without the rest.
 */

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: true; readonly devDependencies?: object }>>;
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const { devDependencies: _none, ...program } = read('package.json') as Record<string, unknown>;
const lock = read('package-lock.json') as Lock;
const { '': root, ...packages } = lock.packages;
const { devDependencies: _neither, ...withoutDevelopment } = root ?? {};
const installed = Object.entries(packages).filter(([, { dev }]) => dev !== true);

const temporary = mkdtempSync(join(tmpdir(), 'paynotify-sbom-'));
try {
  // npm names the program after the folder.
  const folder = join(temporary, 'paynotify');
  mkdirSync(folder);
  const write = (name: string, content: unknown): void => writeFileSync(join(folder, name), JSON.stringify(content));
  write('package.json', program);
  write('package-lock.json', { ...lock, packages: { '': withoutDevelopment, ...Object.fromEntries(installed) } });
  const words = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  process.stdout.write(execFileSync('npm', words, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1_048_576 }));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
