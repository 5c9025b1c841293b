"""Settings, declared once: a verb's settings are one frozen dataclass, and everything else is made from it.

From the declaration of a field come the command line's option and its help, the key of ``snowetl.yml``, the row of the
docs' table, the JSON Schema for editors, the arguments of another process, and the field's part in the fingerprint::

    @dataclass(frozen=True, kw_only=True)
    class EnrichSettings(Settings):
        accept_invalid: bool = flag("--accept-invalid", help="Keep events whose …", shapes_output=True)

One name serves everywhere: the field ``accept_invalid``, the key ``accept-invalid``, the option ``--accept-invalid``.
"""

from snowetl.settings.declaration import Option, Settings, argument, flag, option
from snowetl.settings.fingerprint import Fingerprint
from snowetl.settings.kinds import Choice, Document, Flag, Kind, LocalPath, Location, Number, Size, Text
from snowetl.settings.times import Duration, Moment

__all__ = [
    "Choice",
    "Document",
    "Duration",
    "Fingerprint",
    "Flag",
    "Kind",
    "LocalPath",
    "Location",
    "Moment",
    "Number",
    "Option",
    "Settings",
    "Size",
    "Text",
    "argument",
    "flag",
    "option",
]
