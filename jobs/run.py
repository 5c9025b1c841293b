"""``spark-submit jobs/run.py …``: ``snowetl run`` on a cluster, with the same options."""

from snowetl.cli.job import job

if __name__ == "__main__":
    job("run")
