"""`manage.py backup DIR` and `manage.py restore DIR`: everything, consistent, incremental, verified.

A folder of backups holds `files/`, laid out like the store and shared by all backups in it, and for each backup
a folder with the dump of the database, a list of what belongs to it (which `sha256sum -c` reads) and a manifest.
"""
