import type { Random } from '../random.ts';

const TIMES = [
  '2025-05-17T07:58:04Z',
  '2025-05-17T13:28:06.253+05:30',
  '2024-02-29T23:59:59,999999999-0000',
  '1900-03-01T00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.9+23:59',
  '1747468684000',
];
const CHARACTERS = '0123456789-:+.,TtZz "{\u0660'.split('');

/** Close to a time: one with some characters changed, or two-digit parts replaced by others. */
export const drawTime = (random: Random): string => {
  let text = random.pick(TIMES);
  for (let changes = random.below(4); changes > 0; changes -= 1) {
    const at = random.below(text.length + 1);
    const inserted = random.pick([random.pick(CHARACTERS), '', String(random.below(70)).padStart(2, '0')]);
    text = text.slice(0, at) + inserted + text.slice(at + (random.chance(0.7) ? inserted.length : random.below(3)));
  }
  return text;
};
