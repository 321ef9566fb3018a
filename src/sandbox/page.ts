import type { Journal, JournalEntry } from './journal.ts';
import type { Settings } from './misbehaviour.ts';

export interface PageNeeds {
  readonly clientId: string;
  readonly notifyUrl: string | null;
  readonly keyVersion: string;
  readonly settings: Settings;
  readonly journal: Journal;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Whatever a stranger put in shows as text. */
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** Nothing from elsewhere, no script. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd}code{font-size:12px;word-break:break-all}
.fine{color:#176b2c}.not{color:#a11}summary{cursor:pointer}`;

/** What was sent and what was answered, the newest first. */
export const page = ({ clientId, notifyUrl, keyVersion, settings, journal }: PageNeeds): string => {
  const misbehaving = Object.entries(settings.shares)
    .filter(([, share]) => share > 0)
    .map(([name, share]) => `${name} ${share}`);
  const facts = [
    `client ${clientId}`,
    `notifications to ${notifyUrl ?? 'nowhere'}`,
    `key version ${keyVersion}`,
    `speed ${settings.speed}`,
    misbehaving.length === 0 ? 'behaves well' : `misbehaves: ${misbehaving.join(', ')}`,
  ];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>paynotify sandbox</title><style>${STYLE}</style></head>
<body>
<h1>paynotify sandbox</h1>
<p>${facts.map(escapeHtml).join(' · ')}</p>
<table>
<thead><tr><th>when</th><th>what</th><th>about</th><th>sent</th><th>answered</th><th>outcome</th></tr></thead>
<tbody>
${journal.entries().map(rowOf).join('\n')}
</tbody>
</table>
</body>
</html>
`;
};

const rowOf = ({ at, what, name, ids, sent, answer, outcome, isFine }: JournalEntry): string => {
  const cells = [escapeHtml(at), escapeHtml(`${what} ${name}`), code(ids), folded(sent), folded(answer ?? '')];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}<td class="${isFine ? 'fine' : 'not'}">${escapeHtml(outcome)}</td></tr>`;
};

const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;
const folded = (text: string): string =>
  text === '' ? '' : `<details><summary>${text.length} characters</summary>${code(text)}</details>`;
