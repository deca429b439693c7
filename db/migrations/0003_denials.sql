CREATE TABLE "denial_messages" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "denial_messages_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "denials" (
	"tenant" text NOT NULL,
	"minute" timestamp(3) with time zone NOT NULL,
	"key" text NOT NULL,
	"status" smallint NOT NULL,
	"code" text NOT NULL,
	"method" text NOT NULL,
	"route" text NOT NULL,
	"subject" text,
	"actor" text,
	"credential" text,
	"address" text,
	"network" text,
	"count" integer NOT NULL,
	"first_at" timestamp(3) with time zone NOT NULL,
	"last_at" timestamp(3) with time zone NOT NULL,
	"request_id" text NOT NULL,
	CONSTRAINT "denials_tenant_minute_key_pk" PRIMARY KEY("tenant","minute","key")
);
--> statement-breakpoint
CREATE INDEX "denial_messages_by_time" ON "denial_messages" USING btree ("at");--> statement-breakpoint
CREATE INDEX "denials_by_minute" ON "denials" USING btree ("minute");