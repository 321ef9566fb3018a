import { median, type Results } from './ratios.ts';
import { NAMES } from './subjects.ts';

const WIDTH = 760;
const LABEL = 190;
const BAR = 20;
const GAP = 8;
const TOP = 44;

const SHOWN = new Set<string>([NAMES.bare, NAMES.express, NAMES.floor, NAMES.sqlite, NAMES.postgres]);

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** CPU per notification of each subject at 64 connections, as bars: the figure that is stable under noise. */
export const plot = (results: Results): string => {
  const shown = [...results].filter(([name]) => SHOWN.has(name));
  const longest = Math.max(...shown.map(([, { cpuUs }]) => median(cpuUs)));
  const bars = shown.map(([name, figures], index) => {
    const cpuUs = median(figures.cpuUs);
    const y = TOP + index * (BAR + GAP);
    const width = (cpuUs / longest) * (WIDTH - LABEL - 80);
    const colour = name.startsWith('paynotify') ? '#2b6cb0' : '#a0aec0';
    return [
      `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${escape(name)}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
      `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 14}">${cpuUs.toFixed(0)} µs</text>`,
    ].join('\n');
  });
  const height = TOP + shown.length * (BAR + GAP) + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="12" y="24" font-size="15">Server CPU per notification, 64 connections (user + system)</text>
${bars.join('\n')}
</svg>
`;
};
