-- How an answer came about: what was steered, and by how much of the profile.
CREATE TABLE traces (
  message INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  strength TEXT NOT NULL,
  finish_reason TEXT NOT NULL,
  changed INTEGER NOT NULL CHECK (changed >= 0),  -- tokens
  records INTEGER NOT NULL CHECK (records >= 0),  -- read on the device
  characters INTEGER NOT NULL CHECK (characters >= 0),  -- read on the device
  details BLOB NOT NULL  -- JSON, compressed with zlib
) STRICT;
