"""`manage.py backup DIR` and `manage.py restore DIR`: everything, consistent, incremental, verified.

A folder of backups holds `files/`, laid out like the store and shared by all backups in it, and a folder for
each: the dump of the database, a list of what belongs to it (`sha256sum -c` reads it) and a manifest.
"""
