import type { Asked } from '../order/asked.ts';
import type { Reading } from '../order/reading.ts';
import type { Handlers } from './handler.ts';
import { readAnswer } from './inquiry.ts';
import { readBody } from './read.ts';

/** Reads a stored body again, as what it came as: `asked` is null for a notification. Never throws. */
export const readStored = (
  { asked, body }: { readonly asked: Asked | null; readonly body: Uint8Array },
  handlers?: Handlers,
): Reading => (asked === null ? readBody(body, handlers) : readAnswer(body, asked));
