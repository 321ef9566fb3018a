// One door to PostgreSQL: who works with SQLite never loads the driver.
export { migratePostgres } from './connect.ts';
export { openPostgresTarget } from './import.ts';
export { openPostgres } from './postgres-store.ts';
export { openPostgresSource } from './transfer.ts';
