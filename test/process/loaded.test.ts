import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';

/** The internal modules of Node that are loaded with the service, before it does anything. */
const loadedWith = (file: string): readonly string[] => {
  const url = new URL(`../../src/${file}`, import.meta.url).href;
  const program = `await import(${JSON.stringify(url)}); console.log(JSON.stringify(process.moduleLoadList));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  return JSON.parse(stdout) as readonly string[];
};

test("the service does not load Node's HTTP client, which takes memory, until it calls somebody", () => {
  const loaded = loadedWith('main.ts');
  expect(loaded).toContain('NativeModule _http_server');
  expect(loaded.filter((name) => name.includes('undici'))).toEqual([]);
});
