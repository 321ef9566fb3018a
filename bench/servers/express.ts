import express from 'express';
import { ACKNOWLEDGEMENT, port } from './acknowledgement.ts';

/** What the framework itself costs: read the raw body, answer. */
const app = express();
app.post('/payNotify', express.raw({ type: () => true }), (_request, response) => {
  response.status(200).type('application/json').send(ACKNOWLEDGEMENT);
});
app.listen(port, '127.0.0.1');
