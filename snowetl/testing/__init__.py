"""Test a tracking plan: send what a tracker sends, look at the events and the reasons of bad rows.

>>> from snowetl.testing import enrich, event, tp2
>>> result = enrich(tp2(event("iglu:com.acme/login/jsonschema/1-0-0", {"user": "jo"})), schemas="iglu/")
>>> result.reasons()
[]

With pytest installed, the fixture ``snowetl_enrich`` does the same with the configuration of ``pytest.ini``.
"""

from snowetl.testing.pipeline import Pipeline, enrich
from snowetl.testing.requests import entity, event, hit, tp2
from snowetl.testing.results import Result

__all__ = ["Pipeline", "Result", "enrich", "entity", "event", "hit", "tp2"]
