import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of captures, cancels and refunds; inquiries always pass. */
export type Stall =
  | 'pass'
  /** They never arrive. */
  | 'hold calls'
  /** They arrive, and their answers are held back. */
  | 'hold answers';

export interface StallingWay {
  readonly url: string;
  readonly set: (stall: Stall) => void;
  /** Calls that are held, or whose answers are. */
  readonly held: () => number;
  /** Lets held answers go; resolves once they are written out. */
  readonly release: () => Promise<void>;
  readonly close: () => void;
}

/** A way to the sandbox on which calls, or their answers, wait. */
export const openStallingWay = async (to: string): Promise<StallingWay> => {
  let stall: Stall = 'pass';
  let held = 0;
  const answers: (() => Promise<void>)[] = [];
  const server: Server = createServer((asked, answer) => {
    const { url = '', method, headers } = asked;
    const how = /\/(capture|cancel|refund)$/.test(url) ? stall : 'pass';
    if (how === 'hold calls') {
      held += 1;
      return;
    }
    const onward = request(`${to}${url}`, { method, headers }, (back) => {
      const chunks: Buffer[] = [];
      back.on('data', (chunk: Buffer) => chunks.push(chunk));
      back.on('end', () => {
        answer.writeHead(back.statusCode ?? 500, back.headers);
        if (how === 'pass') return void answer.end(Buffer.concat(chunks));
        held += 1;
        answers.push(async () => await written(answer, Buffer.concat(chunks)));
      });
    });
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    set: (next) => {
      stall = next;
      held = 0;
      answers.length = 0;
    },
    held: () => held,
    release: async () => {
      await Promise.all(answers.splice(0).map(async (give) => await give()));
    },
    close: () => server.close().closeAllConnections(),
  };
};

const written = async (answer: ServerResponse, body: Buffer): Promise<void> =>
  await new Promise((resolve) => {
    answer.once('finish', resolve).once('close', resolve);
    answer.end(body);
  });
