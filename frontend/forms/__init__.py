"""What people fill in. Every message is a sentence that says what to write instead."""
