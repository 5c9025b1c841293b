"""A plan in the words of other schedulers: boto3, Airflow, Step Functions, Dataflow Runner.

Each takes steps (:class:`~snowetl.orchestrator.executors.emr_requests.SparkJob`) and a place, and gives files by name.
"""
