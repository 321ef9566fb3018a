import { type Config, ConfigError, type Environment, EXIT_CONFIG, misspelt, readConfig } from './config.ts';
import { ListenError } from './http/listener.ts';
import { openLog } from './log.ts';
import { causeOf } from './opening.ts';
import { start } from './receiver.ts';
import { exposedFiles } from './secret-files.ts';
import { StoreUnusableError } from './store/store.ts';
import { VERSION } from './version.ts';

/** The process: configuration, log, signals, exit code. */
export const serve = async (env: Environment): Promise<void> => {
  const config = configOrExit(env);
  const { log, close } = openLog({ level: config.logLevel, pretty: process.stdout.isTTY });
  const exit = async (code: number): Promise<never> => {
    await close();
    return process.exit(code);
  };
  log.info(`paynotify ${VERSION} starts`);
  for (const problem of misspelt(env)) log.warn({ problem }, 'a variable looks misspelt');
  for (const problem of exposedFiles(env)) log.warn({ problem }, 'a secret is open to every user of this machine');
  try {
    const running = await start(config, log);
    let signalledAt = Infinity;
    const stop = (signal: string): void => {
      // npm hands on what its whole group has received: twice within a second is one signal.
      if (performance.now() - signalledAt > 1_000) process.exit(1);
      if (signalledAt < Infinity) return;
      signalledAt = performance.now();
      void running.stop(signal).then(exit);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () => running.reloadKeys());
    // Node would open its debugger, to anybody on this machine.
    process.on('SIGUSR1', () => undefined);
    await running.opened;
    await running.broken;
  } catch (error) {
    log.fatal(causeOf(error), 'cannot run');
    const lasting = error instanceof StoreUnusableError || (error instanceof ListenError && error.lasting);
    await exit(lasting ? EXIT_CONFIG : 1);
  }
};

const configOrExit = (env: Environment): Config => {
  try {
    return readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(
      `paynotify: the configuration cannot be used\n${error.problems.map((problem) => `  - ${problem}\n`).join('')}`,
    );
    return process.exit(EXIT_CONFIG);
  }
};

if (import.meta.main) await serve(process.env);
