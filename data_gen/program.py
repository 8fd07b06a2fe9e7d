"""How a command-line program starts and how it ends when its user made a mistake."""

import sys
from collections.abc import Callable

from absl import app, flags, logging

from data_gen.errors import UserError, one_line


def run(main: Callable[..., None], *operands: str) -> None:
    """Parse the flags and call `main`; a `UserError` or a failed file operation becomes one line and exit code 1.

    `operands` names what the command line gives without a flag, which `main` gets in this order.
    Ctrl-C ends with exit code 130. Wrong flags end with exit code 1 and absl's line that names them.
    """

    def guarded(argv: list[str]) -> None:
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)
        given = argv[1:]
        if len(given) > len(operands):
            sys.exit(f"error: unexpected argument {given[len(operands)]!r}: every option is a --flag (see --help)")
        if len(given) < len(operands):
            sys.exit(f"error: {operands[len(given)]} is missing (see --help)")
        try:
            main(*given)
        except (UserError, OSError) as error:
            sys.exit(f"error: {one_line(error)}")
        except KeyboardInterrupt:
            sys.exit(130)

    app.run(guarded, flags_parser=_parse)


def _parse(argv: list[str]) -> list[str]:
    try:
        return app.parse_flags_with_usage(argv)
    except AttributeError as error:  # ml_collections' answer to --config.section.field=... if there is no such field
        missing = error.args[0].args[0] if isinstance(error.args[0], KeyError) else error
        sys.exit(f"error: the configuration has no field {one_line(missing)}")
    except OSError as error:  # and to --config=FILE if there is no such file
        sys.exit(f"error: {one_line(error)}")
