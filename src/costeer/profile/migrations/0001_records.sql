-- What a person keeps about themselves, and an index of its words.
CREATE TABLE records (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again after a removal
  kind TEXT NOT NULL CHECK (kind IN ('preference', 'fact', 'sample', 'document')),
  text TEXT NOT NULL CHECK (text <> ''),
  title TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  digest BLOB NOT NULL UNIQUE,  -- SHA-256 of kind and content: the same twice is one
  written_at TEXT,
  created_at TEXT NOT NULL,
  changed_at TEXT NOT NULL
) STRICT;

CREATE INDEX records_by_kind ON records (kind, id);

-- The words of the records. Porter stems, and accents make no difference.
CREATE VIRTUAL TABLE record_words USING fts5 (
  text, content = 'records', content_rowid = 'id',
  tokenize = 'porter unicode61 remove_diacritics 2'
);

-- A removed record leaves no words behind in the index.
INSERT INTO record_words (record_words, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER records_inserted AFTER INSERT ON records BEGIN
  INSERT INTO record_words (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER records_deleted AFTER DELETE ON records BEGIN
  INSERT INTO record_words (record_words, rowid, text) VALUES ('delete', old.id, old.text);
END;

CREATE TRIGGER records_changed AFTER UPDATE OF text ON records BEGIN
  INSERT INTO record_words (record_words, rowid, text) VALUES ('delete', old.id, old.text);
  INSERT INTO record_words (rowid, text) VALUES (new.id, new.text);
END;
