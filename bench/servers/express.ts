import express from 'express';
import { ACKNOWLEDGEMENT, port } from './acknowledgement.ts';

/** The cost of the framework itself: read the raw body, respond. */
const app = express();
app.post('/payNotify', express.raw({ type: () => true }), (_request, response) => {
  response.status(200).type('application/json').send(ACKNOWLEDGEMENT);
});
app.listen(port, '127.0.0.1');
