import { createServer } from 'node:http';
import { ACKNOWLEDGEMENT, port } from './acknowledgement.ts';

createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': ACKNOWLEDGEMENT.length });
    response.end(ACKNOWLEDGEMENT);
  });
}).listen(port, '127.0.0.1');
