-- Written by drizzle-kit from db/tables.ts, but for this extension and all that comes after the indexes.
-- An index of words begins with the tenant, for which GIN needs it.
CREATE EXTENSION IF NOT EXISTS btree_gin;--> statement-breakpoint
CREATE TABLE "words" (
	"tenant" text NOT NULL,
	"word" text NOT NULL,
	"uses" integer NOT NULL,
	CONSTRAINT "words_tenant_word_pk" PRIMARY KEY("tenant","word")
);
--> statement-breakpoint
DROP INDEX "versions_by_trigram";--> statement-breakpoint
DROP INDEX "versions_by_words";--> statement-breakpoint
ALTER TABLE "versions" ADD COLUMN "name_search" "tsvector" GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array(
        subject_words || ' ' || attribute_words || ' ' || field_words || ' ' || regexp_replace(subject_words, '(\S+)', '/\1', 'g'), ' '), ''))) STORED;--> statement-breakpoint
CREATE INDEX "words_by_trigram" ON "words" USING gin ("tenant","word" gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "versions_by_name" ON "versions" USING gin ("tenant","name_search");--> statement-breakpoint
CREATE INDEX "versions_by_words" ON "versions" USING gin ("tenant","search");--> statement-breakpoint
-- Some rows change with every statement: they find room on their page.
ALTER TABLE "words" SET (fillfactor = 70);--> statement-breakpoint
CREATE FUNCTION words_in(of_tenant text, names text) RETURNS TABLE (tenant text, word text)
	LANGUAGE sql IMMUTABLE AS $$
	SELECT DISTINCT $1, word FROM unnest(string_to_array($2, ' ')) AS word WHERE word <> ''
$$;--> statement-breakpoint
-- Once a statement, however many versions it wrote: the words of those that came, less the words of those that went.
CREATE FUNCTION count_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO words AS known (tenant, word, uses)
			SELECT w.tenant, w.word, count(*) FROM added, words_in(added.tenant, added.names) w
			GROUP BY w.tenant, w.word
			ON CONFLICT (tenant, word) DO UPDATE SET uses = known.uses + excluded.uses;
	ELSIF TG_OP = 'UPDATE' THEN
		IF NOT EXISTS (SELECT FROM added JOIN removed USING (tenant, record_key) WHERE added.names <> removed.names) THEN
			RETURN NULL;
		END IF;
		INSERT INTO words AS known (tenant, word, uses)
			SELECT changed.tenant, changed.word, sum(change) FROM (
				SELECT w.*, 1 AS change FROM added, words_in(added.tenant, added.names) w
				UNION ALL
				SELECT w.*, -1 FROM removed, words_in(removed.tenant, removed.names) w
			) AS changed
			GROUP BY changed.tenant, changed.word HAVING sum(change) <> 0
			ON CONFLICT (tenant, word) DO UPDATE SET uses = known.uses + excluded.uses;
		DELETE FROM words USING removed, words_in(removed.tenant, removed.names) w
			WHERE words.tenant = w.tenant AND words.word = w.word AND words.uses <= 0;
	ELSE
		UPDATE words SET uses = words.uses - gone.uses FROM (
			SELECT w.tenant, w.word, count(*) AS uses
			FROM removed, words_in(removed.tenant, removed.names) w GROUP BY w.tenant, w.word
		) AS gone WHERE words.tenant = gone.tenant AND words.word = gone.word;
		DELETE FROM words USING removed, words_in(removed.tenant, removed.names) w
			WHERE words.tenant = w.tenant AND words.word = w.word AND words.uses <= 0;
	END IF;
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER versions_came AFTER INSERT ON "versions" REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION count_words();--> statement-breakpoint
CREATE TRIGGER versions_changed AFTER UPDATE ON "versions" REFERENCING NEW TABLE AS added OLD TABLE AS removed
	FOR EACH STATEMENT EXECUTE FUNCTION count_words();--> statement-breakpoint
CREATE TRIGGER versions_went AFTER DELETE ON "versions" REFERENCING OLD TABLE AS removed
	FOR EACH STATEMENT EXECUTE FUNCTION count_words();--> statement-breakpoint
INSERT INTO "words" (tenant, word, uses)
	SELECT w.tenant, w.word, count(*) FROM "versions", words_in(versions.tenant, versions.names) w
	GROUP BY w.tenant, w.word;
