/**
 * What the service uses of `node:http`. Imported as a module, that one also loads undici for its WebSocket, 3 MB of
 * heap and some more of code that a receiver never runs.
 */
export const { Agent, createServer, IncomingMessage, request, ServerResponse, STATUS_CODES } =
  process.getBuiltinModule('node:http');
