import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** What a journal begins with, and how many pages it holds, once it is synced (sqlite.org/fileformat.html, 3). */
const SYNCED = Buffer.from('d9d505f920a163d700000001', 'hex');

/** The journal that a power cut in the middle of a change leaves beside a file of SQLite that has no log. */
export const journalOf = (file: string): Buffer => {
  const db = new DatabaseSync(file);
  try {
    db.exec('pragma journal_mode = delete; begin immediate; pragma user_version = 7');
    const journal = readFileSync(`${file}-journal`);
    SYNCED.copy(journal);
    return journal;
  } finally {
    db.close();
  }
};
