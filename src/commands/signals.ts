import { once } from 'node:events';

/**
 * Aborted by Ctrl-C, SIGTERM or a closed terminal, so that what is open can still be closed; asking twice does not
 * hurry.
 */
export const untilSignalled = (): AbortSignal => {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
};

export const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};
