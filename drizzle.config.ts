/** Read by `npx drizzle-kit@0.31 generate`, which writes what db/tables.ts has become as the next migration. Not installed with the rest: it takes as long as all of it. */
export default { dialect: "postgresql", schema: "./db/tables.ts", out: "./db/migrations" };
