// One door to PostgreSQL: who works with SQLite never loads the driver.
export { migratePostgres } from './connect.ts';
export { openPostgres, openPostgresSource } from './postgres-store.ts';
