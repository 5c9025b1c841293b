"""``spark-submit jobs/enrich.py …``: ``snowetl enrich`` on a cluster, with the same options."""

from snowetl.cli.job import job

if __name__ == "__main__":
    job("enrich")
