"""JSON Schema draft 4 as networknt json-schema-validator 1.0.70 checks it: its rules, its words, its order."""

from snowetl.iglu.validation.compiled import Validator, compile_schema
from snowetl.iglu.validation.report import Report, ValidationCrash

__all__ = ["Report", "ValidationCrash", "Validator", "compile_schema"]
