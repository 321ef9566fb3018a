import { createPublicKey, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { ACKNOWLEDGEMENT, port } from './acknowledgement.ts';

/**
 * The least that verifies and stores durably: no framework, a key read once, one insert a notification, one commit for
 * all that arrive in a turn of the event loop. No order, no second thread, no log, no idempotency. No receiver on Node
 * and SQLite can cost less.
 */
const key = createPublicKey({
  key: Buffer.from(process.env['ANTOM_PUBLIC_KEY'] ?? '', 'base64'),
  format: 'der',
  type: 'spki',
});
const db = new DatabaseSync(process.env['FLOOR_FILE'] ?? '');
db.exec('pragma journal_mode = wal; pragma synchronous = full; create table notifications (body blob not null)');
const insert = db.prepare('insert into notifications values (?)');
const begin = db.prepare('begin');
const commit = db.prepare('commit');

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

let arrivals: Arrival[] = [];
let before = 0;

/** The signature in Base64, read as the public samples read it. */
const signatureOf = (header: string): string => decodeURIComponent(/signature=([^,]+)/.exec(header)?.[1] ?? '');

const isSigned = ({ request, body }: Arrival): boolean => {
  const { headers } = request;
  const signature = signatureOf(String(headers['signature']));
  const prefix = `POST ${String(request.url)}\n${String(headers['client-id'])}.${String(headers['request-time'])}.`;
  const signed = Buffer.concat([Buffer.from(prefix), body]);
  return verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64'));
};

/** As in the receiver: while each turn of the event loop brings more, the batch grows. */
const finishTurn = (): void => {
  if (arrivals.length > before) {
    before = arrivals.length;
    setImmediate(finishTurn);
    return;
  }
  const batch = arrivals;
  arrivals = [];
  before = 0;
  const signed = batch.map(isSigned);
  begin.run();
  for (const [index, { body }] of batch.entries()) if (signed[index] === true) insert.run(body);
  commit.run();
  for (const [index, { response }] of batch.entries()) {
    response.writeHead(signed[index] === true ? 200 : 401, {
      'Content-Type': 'application/json',
      'Content-Length': ACKNOWLEDGEMENT.length,
    });
    response.end(ACKNOWLEDGEMENT);
  }
};

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method !== 'POST') return response.writeHead(404).end();
    if (arrivals.length === 0) setImmediate(finishTurn);
    arrivals.push({ request, response, body: Buffer.concat(chunks) });
    return undefined;
  });
}).listen(port, '127.0.0.1');
