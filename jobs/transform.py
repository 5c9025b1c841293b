"""``spark-submit jobs/transform.py …``: ``snowetl transform`` on a cluster, with the same options."""

from snowetl.cli.job import job

if __name__ == "__main__":
    job("transform")
