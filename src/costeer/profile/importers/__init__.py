"""From other people's files to drafts of records. ``read`` is the one that others call.

Every importer yields drafts and, for what it leaves out, the reason; none of them raises for the
content of a file. They read only, and know nothing of the database.
"""
