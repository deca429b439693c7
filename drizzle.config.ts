/** Read by `npx drizzle-kit generate`, which writes the difference between db/tables.ts and the newest migration as the next one. */
export default { dialect: "postgresql", schema: "./db/tables.ts", out: "./db/migrations" };
