import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';

test("the service does not load Node's HTTP client, which takes memory, until it calls somebody", () => {
  const main = new URL('../../src/main.ts', import.meta.url).href;
  const program = `await import(${JSON.stringify(main)}); console.log(JSON.stringify(process.moduleLoadList));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  const loaded = JSON.parse(stdout) as readonly string[];
  expect(loaded).toContain('NativeModule _http_server');
  expect(loaded.filter((name) => name.includes('undici'))).toEqual([]);
});
