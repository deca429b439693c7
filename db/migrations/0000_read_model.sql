-- Written by drizzle-kit from db/tables.ts, but for this extension and the fill factor at the end.
CREATE EXTENSION IF NOT EXISTS pg_trgm;--> statement-breakpoint
CREATE TABLE "entry_failures" (
	"tenant" text NOT NULL,
	"seq" bigint NOT NULL,
	"attempts" integer NOT NULL,
	"parked" boolean NOT NULL,
	"error" text NOT NULL,
	"first_failed_at" timestamp (3) with time zone NOT NULL,
	"last_failed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "entry_failures_tenant_seq_pk" PRIMARY KEY("tenant","seq")
);
--> statement-breakpoint
CREATE TABLE "fields" (
	"tenant" text NOT NULL,
	"record_key" bigint NOT NULL,
	"position" integer NOT NULL,
	"path" text NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"documentation" text,
	"required" boolean NOT NULL,
	CONSTRAINT "fields_tenant_record_key_position_pk" PRIMARY KEY("tenant","record_key","position")
);
--> statement-breakpoint
CREATE TABLE "labels" (
	"tenant" text NOT NULL,
	"record_key" bigint NOT NULL,
	"label" text NOT NULL,
	CONSTRAINT "labels_tenant_record_key_label_pk" PRIMARY KEY("tenant","record_key","label")
);
--> statement-breakpoint
CREATE TABLE "log_entries" (
	"tenant" text NOT NULL,
	"seq" bigint NOT NULL,
	"epoch" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"type" text NOT NULL,
	"subject" text,
	"actor" text NOT NULL,
	"request_id" text NOT NULL,
	"header" "bytea" NOT NULL,
	"leaf_hash" "bytea" NOT NULL,
	CONSTRAINT "log_entries_tenant_seq_pk" PRIMARY KEY("tenant","seq")
);
--> statement-breakpoint
CREATE TABLE "scopes" (
	"tenant" text NOT NULL,
	"context" text NOT NULL,
	"subject" text NOT NULL,
	"config" jsonb,
	"mode" text,
	"rules" jsonb,
	"associations" jsonb,
	CONSTRAINT "scopes_tenant_context_subject_pk" PRIMARY KEY("tenant","context","subject")
);
--> statement-breakpoint
CREATE TABLE "subjects" (
	"tenant" text NOT NULL,
	"subject_key" bigint NOT NULL,
	"context" text NOT NULL,
	"subject" text NOT NULL,
	"default_policy" text NOT NULL,
	"latest_key" bigint,
	CONSTRAINT "subjects_tenant_subject_key_pk" PRIMARY KEY("tenant","subject_key")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"tenant" text PRIMARY KEY NOT NULL,
	"epoch" integer NOT NULL,
	"seq" bigint NOT NULL,
	"leaf_hash" "bytea",
	"entry_at" timestamp (3) with time zone,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"projection_version" integer NOT NULL,
	"rebuild" text,
	"rebuild_started_at" timestamp (3) with time zone,
	"rebuild_up_to_seq" bigint
);
--> statement-breakpoint
CREATE TABLE "version_references" (
	"tenant" text NOT NULL,
	"record_key" bigint NOT NULL,
	"position" smallint NOT NULL,
	"name" text NOT NULL,
	"target_context" text NOT NULL,
	"target_subject" text NOT NULL,
	"target_number" bigint NOT NULL,
	CONSTRAINT "version_references_tenant_record_key_position_pk" PRIMARY KEY("tenant","record_key","position")
);
--> statement-breakpoint
CREATE TABLE "versions" (
	"tenant" text NOT NULL,
	"record_key" bigint NOT NULL,
	"id" text NOT NULL,
	"subject_key" bigint NOT NULL,
	"context" text NOT NULL,
	"subject" text NOT NULL,
	"number" bigint,
	"label" text,
	"confluent_id" bigint,
	"guid" text NOT NULL,
	"content_hash" text NOT NULL,
	"format" text NOT NULL,
	"dialect" text,
	"contract" jsonb,
	"state" text NOT NULL,
	"deleted" boolean NOT NULL,
	"is_latest" boolean DEFAULT false NOT NULL,
	"description" text,
	"tags" text[] NOT NULL,
	"owner" text,
	"role" text,
	"metadata" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"updated_seq" bigint NOT NULL,
	"content" text,
	"subject_words" text NOT NULL,
	"attribute_words" text NOT NULL,
	"field_words" text NOT NULL,
	"description_words" text NOT NULL,
	"documentation_words" text NOT NULL,
	"content_words" text NOT NULL,
	"names" text GENERATED ALWAYS AS (subject_words || ' ' || attribute_words || ' ' || field_words) STORED,
	"search" "tsvector" GENERATED ALWAYS AS (setweight(to_tsvector('simple', subject_words), 'A')
        || setweight(to_tsvector('simple', attribute_words || ' ' || field_words), 'B')
        || setweight(to_tsvector('simple', description_words || ' ' || documentation_words), 'C')
        || setweight(to_tsvector('english', description_words || ' ' || documentation_words), 'C')
        || setweight(to_tsvector('simple', content_words), 'D')) STORED,
	CONSTRAINT "versions_tenant_record_key_pk" PRIMARY KEY("tenant","record_key")
);
--> statement-breakpoint
CREATE INDEX "fields_by_name" ON "fields" USING btree ("tenant","name");--> statement-breakpoint
CREATE INDEX "labels_by_label" ON "labels" USING btree ("tenant","label");--> statement-breakpoint
CREATE INDEX "log_entries_by_subject" ON "log_entries" USING btree ("tenant","subject","seq");--> statement-breakpoint
CREATE INDEX "subjects_by_name" ON "subjects" USING btree ("tenant","subject","context");--> statement-breakpoint
CREATE INDEX "subjects_by_trigram" ON "subjects" USING gin ("subject" gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "version_references_by_target" ON "version_references" USING btree ("tenant","target_subject","target_context","target_number");--> statement-breakpoint
CREATE INDEX "versions_by_id" ON "versions" USING btree ("tenant","id");--> statement-breakpoint
CREATE INDEX "versions_by_number" ON "versions" USING btree ("tenant","subject_key","number");--> statement-breakpoint
CREATE INDEX "versions_by_words" ON "versions" USING gin ("search");--> statement-breakpoint
CREATE INDEX "versions_by_trigram" ON "versions" USING gin ("names" gin_trgm_ops);--> statement-breakpoint
-- A state that changes must not touch the wide indexes of the words: room on the page lets a row move without them.
ALTER TABLE "versions" SET (fillfactor = 85);
