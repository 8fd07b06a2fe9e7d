"""The error that a person can mend."""


class UserError(Exception):
    """Something the user gave is wrong: its text is one line that says what and where. Programs print it and exit 1."""


def one_line(error: object) -> str:
    """`error` as one line that is safe to print: a failed file operation with its file, control characters escaped."""
    if isinstance(error, OSError) and error.filename:
        error = f"{error.strerror}: {error.filename}"
    line = " ".join(str(error).split())
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
