"""The error that a person can mend."""


class UserError(Exception):
    """Something the user gave is wrong: its text is one line that says what and where. Programs print it and exit 1."""
