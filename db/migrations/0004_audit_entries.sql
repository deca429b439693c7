ALTER TABLE "tenants" ADD COLUMN "entries_after" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "log_entries_by_actor" ON "log_entries" USING btree ("tenant","actor","seq");--> statement-breakpoint
CREATE INDEX "log_entries_by_type" ON "log_entries" USING btree ("tenant","type","seq");--> statement-breakpoint
CREATE INDEX "log_entries_by_time" ON "log_entries" USING btree ("tenant","at");