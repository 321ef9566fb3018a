import { createServer } from 'node:http';

/* A shop that takes every callback and does nothing with it. GET says how many came. */
let callbacks = 0;

createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(String(callbacks));
    return;
  }
  callbacks += 1;
  request.resume().on('end', () => response.writeHead(204).end());
}).listen(Number(process.env['PORT']), '127.0.0.1');
