import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readProject } from './typed.ts';

interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly { readonly purl: string }[];
}

test('the SBOM lists every package that runs in production, those shared with development too, and no other', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const sbom = JSON.parse(execFileSync('npm', ['run', '-s', 'sbom'], { cwd: root, encoding: 'utf8' })) as Sbom;
  const { name, version } = JSON.parse(readProject('package.json')) as {
    readonly name: string;
    readonly version: string;
  };
  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name, version } } });
  const lock = JSON.parse(readProject('package-lock.json')) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: true }>>;
  };
  // What `npm ci --omit=dev` installs.
  const installed = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, one]) => `pkg:npm/${path.replace(/^.*node_modules\//, '').replace('@', '%40')}@${one.version}`);
  expect(sbom.components.map(({ purl }) => purl).sort()).toEqual([...new Set(installed)].sort());
  expect(installed.join(' ')).toMatch(/\/pg@/);
});
