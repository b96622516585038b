-- Values that must not leave as they are, in the order in which they were added.
CREATE TABLE guarded_values (
  position INTEGER PRIMARY KEY,
  text TEXT NOT NULL CHECK (text <> ''),
  kind TEXT NOT NULL,
  level TEXT NOT NULL
) STRICT;

-- The evidence about the person that answers under a cap have given away, in nats: a range.
CREATE TABLE spent (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  low REAL NOT NULL,
  high REAL NOT NULL CHECK (high >= low)
) STRICT;
