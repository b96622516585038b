-- Conversations as trees of messages, what each of them reads, and what left for each answer.
CREATE TABLE conversations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL DEFAULT '',
  current INTEGER REFERENCES messages (id) ON DELETE SET NULL,  -- the end of the branch shown
  created_at TEXT NOT NULL,
  changed_at TEXT NOT NULL
) STRICT;

CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  parent INTEGER,
  role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
  text TEXT NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (conversation, id),
  -- A parent is a message of the same conversation.
  FOREIGN KEY (conversation, parent) REFERENCES messages (conversation, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX messages_by_parent ON messages (parent);

-- The records that a conversation reads, in order; only appended to.
CREATE TABLE conversation_records (
  conversation INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
  reason TEXT NOT NULL,
  PRIMARY KEY (conversation, position),
  UNIQUE (conversation, record)
) STRICT;

-- What left this device for an answer, request by request, as it was sent.
CREATE TABLE departures (
  message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  left_at TEXT NOT NULL,
  destination TEXT NOT NULL,
  body BLOB NOT NULL,
  bytes_up INTEGER NOT NULL CHECK (bytes_up >= 0),
  bytes_down INTEGER NOT NULL CHECK (bytes_down >= 0),
  PRIMARY KEY (message, position)
) STRICT;
