import type { Colour, Paint } from './shell.ts';

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
}
export type Row = readonly (Cell | string)[];
/** A name and what it stands for. */
export type Pair = readonly [string, Cell | string];

const GAP = '  ';

/** Senders choose identifiers, targets and headers: nothing of theirs may steer the terminal. */
export const printable = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** A body as a person reads it: its own line breaks stay. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** Columns as wide as their widest cell; nothing is cut off. The first line is the header. */
export const table = (paint: Paint, header: readonly string[], rows: readonly Row[]): string =>
  alignedLines(paint, header, rows).join('\n');

export const alignedLines = (paint: Paint, header: readonly string[], rows: readonly Row[]): readonly string[] => {
  const lines = [header.map((text): Cell => ({ text, colour: 'dim' })), ...rows].map((row) => row.map(toCell));
  const widths = header.map((_, column) => Math.max(...lines.map((line) => lengthOf(line[column]?.text ?? ''))));
  return lines.map((line) =>
    line
      .map((cell, column) => padded(paint, cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
};

/** One pair a line. */
export const pairs = (paint: Paint, rows: readonly Pair[]): string => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows
    .map(([name, value]) => `${paint('dim', name.padEnd(width))}${GAP}${padded(paint, toCell(value), 0)}`)
    .join('\n');
};

const toCell = (cell: Cell | string): Cell =>
  typeof cell === 'string' ? { text: printable(cell) } : { text: printable(cell.text), colour: cell.colour };

const padded = (paint: Paint, { text, colour }: Cell, width: number): string => {
  const padding = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return (colour === undefined || text === '' ? text : paint(colour, text)) + padding;
};

const lengthOf = (text: string): number => Array.from(text).length;
