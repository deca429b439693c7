DROP INDEX "subjects_by_trigram";--> statement-breakpoint
DROP INDEX "versions_by_words";--> statement-breakpoint
DROP INDEX "versions_by_trigram";--> statement-breakpoint
ALTER TABLE "versions" DROP COLUMN "names";--> statement-breakpoint
ALTER TABLE "versions" DROP COLUMN "search";--> statement-breakpoint
-- Written by hand (docs/search.md). Triggers derive the search documents from "versions" in the same transaction, so every
-- writer of a version, including a repair, keeps them current. An index on "versions" would not suffice, because a search
-- reads hundreds of rows, which must be narrow, and mostly wants the few latest versions among many.
CREATE EXTENSION IF NOT EXISTS btree_gin;--> statement-breakpoint
CREATE TABLE search_documents (
	tenant text NOT NULL,
	record_key bigint NOT NULL,
	is_latest boolean NOT NULL,
	subject text NOT NULL,
	subject_words text NOT NULL,
	-- Words of subject, tags, owner and field names, with a space before and after each.
	names text NOT NULL,
	-- Everything that can be asked for, as search_terms() spells it.
	terms tsvector NOT NULL,
	PRIMARY KEY (tenant, record_key, is_latest)
) PARTITION BY LIST (is_latest);--> statement-breakpoint
-- The terms are stored outside the rows: a search finds rows by the index and ranks them by the other columns.
CREATE TABLE search_documents_latest PARTITION OF search_documents FOR VALUES IN (true) WITH (toast_tuple_target = 1024);--> statement-breakpoint
CREATE TABLE search_documents_earlier PARTITION OF search_documents FOR VALUES IN (false) WITH (toast_tuple_target = 1024);--> statement-breakpoint
ALTER TABLE search_documents_latest ALTER COLUMN terms SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE search_documents_earlier ALTER COLUMN terms SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE search_documents_latest ALTER COLUMN names SET STORAGE MAIN;--> statement-breakpoint
ALTER TABLE search_documents_earlier ALTER COLUMN names SET STORAGE MAIN;--> statement-breakpoint
-- Plans do not depend on the statistics (db/search/candidates.ts), and reading them would take longer than planning.
ALTER TABLE search_documents_latest ALTER COLUMN terms SET STATISTICS 0;--> statement-breakpoint
ALTER TABLE search_documents_earlier ALTER COLUMN terms SET STATISTICS 0;--> statement-breakpoint
-- Every search scans all pending index entries, so the pending list is kept short.
CREATE INDEX search_documents_latest_by_terms ON search_documents_latest USING gin (terms) WITH (gin_pending_list_limit = 256);--> statement-breakpoint
CREATE INDEX search_documents_earlier_by_terms ON search_documents_earlier USING gin (terms) WITH (gin_pending_list_limit = 256);--> statement-breakpoint
-- The words of names with their number of documents, for finding the intended word of a misspelt query.
CREATE TABLE search_words (
	tenant text NOT NULL,
	word text NOT NULL,
	uses integer NOT NULL,
	PRIMARY KEY (tenant, word)
) WITH (fillfactor = 70);--> statement-breakpoint
CREATE INDEX search_words_by_trigram ON search_words USING gin (tenant, word gin_trgm_ops);--> statement-breakpoint
-- The space-separated words of a list, each with a prefix. The list is limited because a tsvector holds at most 1 MB.
CREATE FUNCTION search_prefixed(prefix text, words text, at_most integer) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT string_to_array(prefix || replace(left(words, at_most), ' ', ' ' || prefix), ' ')
$$;--> statement-breakpoint
-- A term consists of four digits of the tenant's MD5, so that one tenant's common words do not slow down the others; a letter
-- for the place; and the word, the lower-case subject, or the MD5 of a value that is compared as a whole (db/search/terms.ts).
CREATE FUNCTION search_terms(tenant text, context text, subject text, format text, state text, owner text, role text, tags text[],
	subject_words text, names text, prose_words text, content_words text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	key text := left(md5(tenant), 4);
BEGIN
	RETURN array_to_tsvector(array_remove(
		search_prefixed(key || 's', subject_words, 1000)
		|| search_prefixed(key || 'n', names, 40000)
		|| search_prefixed(key || 'p', prose_words, 40000)
		|| search_prefixed(key || 'p', array_to_string(tsvector_to_array(to_tsvector('english', left(prose_words, 40000))), ' '), 40000)
		|| search_prefixed(key || 't', content_words, 60000)
		|| ARRAY[key || 'a', key || 'e' || lower(subject), key || 'c' || md5(context), key || 'f' || md5(format), key || 'x' || md5(state),
			key || 'o' || md5(owner), key || 'r' || md5(role)]
		|| (SELECT array_agg(key || 'g' || md5(tag)) FROM unnest(tags) AS tag), NULL));
END $$;--> statement-breakpoint
-- The term of a word's stem, used for prose.
CREATE FUNCTION search_stem(prefix text, word text) RETURNS tsquery LANGUAGE sql IMMUTABLE AS $$
	SELECT quote_literal(prefix || coalesce((ts_lexize('english_stem', word))[1], word))::tsquery
$$;--> statement-breakpoint
-- The search documents of versions that exist and are not soft-deleted.
CREATE FUNCTION add_search_documents(tenants text[], keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WITH came AS (
		INSERT INTO search_documents (tenant, record_key, is_latest, subject, subject_words, names, terms)
		SELECT v.tenant, v.record_key, v.is_latest, v.subject, v.subject_words, named.names,
			search_terms(v.tenant, v.context, v.subject, v.format, v.state, v.owner, v.role, v.tags, v.subject_words, named.names,
				v.description_words || ' ' || v.documentation_words, v.content_words)
		FROM unnest(tenants, keys) AS asked (tenant, record_key)
			JOIN versions v USING (tenant, record_key),
			concat(' ', v.subject_words, ' ', v.attribute_words, ' ', v.field_words, ' ') AS named (names)
		WHERE NOT v.deleted
		RETURNING search_documents.tenant, search_documents.names
	)
	INSERT INTO search_words AS known (tenant, word, uses)
		SELECT came.tenant, listed.word, count(*) FROM came, unnest(string_to_array(came.names, ' ')) AS listed (word)
		WHERE listed.word <> '' GROUP BY came.tenant, listed.word
		ON CONFLICT (tenant, word) DO UPDATE SET uses = known.uses + excluded.uses;
END $$;--> statement-breakpoint
CREATE FUNCTION remove_search_documents(tenants text[], keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WITH went AS (
		DELETE FROM search_documents USING unnest(tenants, keys) AS asked (tenant, record_key)
		WHERE search_documents.tenant = asked.tenant AND search_documents.record_key = asked.record_key
		RETURNING search_documents.tenant, search_documents.names
	)
	UPDATE search_words SET uses = search_words.uses - lost.uses FROM (
		SELECT went.tenant, listed.word, count(*) AS uses FROM went, unnest(string_to_array(went.names, ' ')) AS listed (word)
		WHERE listed.word <> '' GROUP BY went.tenant, listed.word
	) AS lost WHERE search_words.tenant = lost.tenant AND search_words.word = lost.word;
	DELETE FROM search_words WHERE tenant = ANY (tenants) AND uses <= 0;
END $$;--> statement-breakpoint
-- Runs once per statement, however many versions it wrote. A version that is no longer the latest keeps its terms.
CREATE FUNCTION keep_search_documents() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	tenants text[];
	keys bigint[];
BEGIN
	IF TG_OP = 'INSERT' THEN
		PERFORM add_search_documents(array_agg(tenant), array_agg(record_key)) FROM added;
	ELSIF TG_OP = 'DELETE' THEN
		PERFORM remove_search_documents(array_agg(tenant), array_agg(record_key)) FROM removed;
	ELSE
		SELECT array_agg(a.tenant), array_agg(a.record_key) INTO tenants, keys
			FROM added a JOIN removed r USING (tenant, record_key)
			WHERE (a.context, a.subject, a.format, a.state, a.deleted, a.owner, a.role, a.tags, a.attribute_words, a.field_words,
				a.description_words, a.documentation_words, a.content_words)
			IS DISTINCT FROM (r.context, r.subject, r.format, r.state, r.deleted, r.owner, r.role, r.tags, r.attribute_words,
				r.field_words, r.description_words, r.documentation_words, r.content_words);
		IF keys IS NOT NULL THEN
			PERFORM remove_search_documents(tenants, keys);
			PERFORM add_search_documents(tenants, keys);
		END IF;
		UPDATE search_documents SET is_latest = a.is_latest FROM added a
			WHERE search_documents.tenant = a.tenant AND search_documents.record_key = a.record_key
				AND search_documents.is_latest <> a.is_latest;
	END IF;
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER versions_came AFTER INSERT ON versions REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION keep_search_documents();--> statement-breakpoint
CREATE TRIGGER versions_changed AFTER UPDATE ON versions REFERENCING NEW TABLE AS added OLD TABLE AS removed
	FOR EACH STATEMENT EXECUTE FUNCTION keep_search_documents();--> statement-breakpoint
CREATE TRIGGER versions_went AFTER DELETE ON versions REFERENCING OLD TABLE AS removed
	FOR EACH STATEMENT EXECUTE FUNCTION keep_search_documents();--> statement-breakpoint
SELECT add_search_documents(array_agg(tenant), array_agg(record_key)) FROM versions;
