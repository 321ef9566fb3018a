import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Ended } from '../commands/support.ts';

/** What a machine needs that can do less than the documents expect of one. */
export interface Options {
  /** An image that is there already, in place of a build. */
  readonly image: string | undefined;
  /** `--network host` in place of published ports: for an engine that has no networks of its own. */
  readonly hostNetwork: boolean;
  /** More for each `docker run`, such as `--runtime runc`. */
  readonly runArguments: string;
}

/** Docker, or podman, whichever answers. Where its program is: by its name our own `docker` would call itself. */
export const findEngine = (): string => {
  const places = (process.env['PATH'] ?? '').split(delimiter);
  const found = ['docker', 'podman']
    .flatMap((name) => places.map((place) => join(place, name)))
    .find((program) => spawnSync(program, ['info']).status === 0);
  if (found === undefined) throw new Error('this test runs the real image, and neither docker nor podman answers here');
  return found;
};

/** `docker` as the commands of the documents call it: a program in this directory. */
export const installEngine = (
  engine: string,
  directory: string,
  { image, hostNetwork, runArguments }: Options,
): void => {
  const file = join(directory, 'docker');
  const network = hostNetwork ? '--network host ' : '';
  const build = image === undefined ? `exec ${engine} "$@"` : `exec ${engine} tag ${image} paynotify`;
  writeFileSync(
    file,
    `#!/bin/sh
case $1 in
build) ${build} ;;
run) shift; exec ${engine} run ${network}${runArguments} "$@" ;;
*) exec ${engine} "$@" ;;
esac
`,
  );
  chmodSync(file, 0o755);
};

/** Runs a command line of a document in this directory, where `docker` is the engine. */
export const inShell = (command: string, directory: string, cwd = directory): Ended => {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${directory}:${process.env['PATH']}` },
  });
  return { code: status, out: stdout, err: stderr };
};
