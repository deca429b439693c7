ALTER TABLE "labels" RENAME TO "version_tags";--> statement-breakpoint
ALTER TABLE "version_tags" RENAME COLUMN "label" TO "tag";--> statement-breakpoint
ALTER TABLE "version_tags" RENAME CONSTRAINT "labels_tenant_record_key_label_pk" TO "version_tags_tenant_record_key_tag_pk";--> statement-breakpoint
ALTER INDEX "labels_by_label" RENAME TO "version_tags_by_tag";--> statement-breakpoint
ALTER TABLE "versions" RENAME COLUMN "label" TO "semver";
