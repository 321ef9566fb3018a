import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf } from '../thrown.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Connections that wait to be accepted. The system's own limit (4,096 on Linux) applies too; above it a sender waits
 * for seconds.
 */
const BACKLOG = 4_096;

/** An address that cannot be listened on: the message names the variables and what to do, one sentence a listener. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** Waiting does not help: somebody has to change something. Who holds a port may be about to leave it. */
  readonly lasting: boolean;
  constructor(problems: readonly string[], lasting: boolean) {
    super(problems.join('. '));
    this.lasting = lasting;
  }
}

export interface Listener extends Address {
  readonly server: Server;
  /** That the address comes from. */
  readonly variables: readonly [host: string, port: string];
}

/** Starts both, or neither; resolves with the bound addresses. Throws a ListenError that names all that is wrong. */
export const listenTogether = async <const T extends readonly Listener[]>(
  listeners: T,
): Promise<{ readonly [K in keyof T]: Address }> => {
  const tried = await Promise.allSettled(listeners.map(async ({ server, ...at }) => await listen(server, at)));
  const failures = tried.flatMap((one, index) =>
    one.status === 'rejected'
      ? [{ code: codeOf(one.reason) ?? String(one.reason), listener: listeners[index] as Listener }]
      : [],
  );
  if (failures.length > 0) {
    for (const { server } of listeners) server.close();
    throw new ListenError(
      failures.map(problemOf),
      failures.some(({ code }) => LASTING.has(code)),
    );
  }
  return tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])) as { [K in keyof T]: Address };
};

const LASTING: ReadonlySet<string> = new Set(['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND']);

const problemOf = ({ code, listener }: { readonly code: string; readonly listener: Listener }): string => {
  const {
    host,
    port,
    variables: [hostName, portName],
  } = listener;
  switch (code) {
    case 'EADDRINUSE':
      return `${portName}: port ${port} on ${host} is in use (EADDRINUSE): stop the program that listens there, or set another ${portName}`;
    case 'EACCES':
      return `${portName}: this user may not listen on port ${port} (EACCES): set one from 1024 on`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${hostName}: ${host} is no address of this machine (${code}): set one that is, or 0.0.0.0 for all of them`;
    default:
      return `${hostName}, ${portName}: cannot listen on ${host}:${port} (${code}): set others`;
  }
};

/** Starts listening; resolves with the bound address (port 0 lets the system choose). */
export const listen = (server: Server, { host, port }: Address): Promise<Address> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      const { address, port: given } = server.address() as AddressInfo;
      resolve({ host: address, port: given });
    });
  });

/** Longer than a response may take, shorter than the 10 s after which an orchestrator kills. */
const FINISH_WITHIN_MS = 8_000;

/**
 * Stops accepting; resolves when the requests in flight have their responses. Idle connections are closed at once.
 * Those whose sender never ends its request are closed after a while, for a closed server no longer times them out.
 */
export const stopListening = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
