import gc
import os

from django.core.wsgi import get_wsgi_application

from config.short_way import Door, ShortWay
from samples.prepared import keep_sessions
from samples.queueing import send_in_background

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = Door(get_wsgi_application(), ShortWay())
keep_sessions()
send_in_background()

# What is loaded by now stays for good. Looking through it again and again for garbage was a tenth of the
# processor time of a small upload (measured).
gc.collect()
gc.freeze()
gc.set_threshold(2_000, 10, 10)
