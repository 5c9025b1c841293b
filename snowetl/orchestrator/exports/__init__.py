"""A plan in the words of other schedulers: boto3, Airflow, Step Functions, Dataflow Runner.

Each takes steps (:class:`~snowetl.orchestrator.exports.step.PlannedStep`) and a place, and gives files by name.
"""
