/** Read by `npx drizzle-kit generate`, which writes what db/tables.ts has become as the next migration. */
import { defineConfig } from "drizzle-kit";

export default defineConfig({ dialect: "postgresql", schema: "./db/tables.ts", out: "./db/migrations" });
