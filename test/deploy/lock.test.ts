import { expect, test } from '@jest/globals';
import { readProject } from './typed.ts';

test('npm compares every package with a digest, on whichever platform', () => {
  const { packages } = JSON.parse(readProject('package-lock.json')) as {
    readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
  };
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
  expect(installed.length).toBeGreaterThan(0);
});
