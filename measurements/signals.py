"""What other rooms may listen to, with `measurement=`."""

from django.dispatch import Signal

# After the commit
measurement_read = Signal()  # its datasets are stored, or its technique has changed since
measurement_assigned = Signal()  # it left the inbox for a sample

# Inside the transaction: what hangs on it follows at once, or nothing happens at all
measurement_settled = Signal()  # it was read, or could not be
measurement_placed = Signal()  # it has another sample, is void, or is void no longer
