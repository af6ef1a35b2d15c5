"""What a user would write: the servers that ours are measured beside."""
