"""What other rooms may listen to. Sent after the commit, with `measurement=`."""

from django.dispatch import Signal

measurement_read = Signal()  # its datasets are stored, or its technique has changed since
measurement_assigned = Signal()  # it left the inbox for a sample
