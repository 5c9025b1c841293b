# The image for EMR Serverless: the release's own, with Python 3.11 and snowetl. Needed before emr-spark-8 only.
#   docker buildx build --platform linux/amd64,linux/arm64 --file emr/serverless.Dockerfile --tag $IMAGE --push .
ARG RELEASE=emr-7.13.0
FROM public.ecr.aws/emr-serverless/spark/${RELEASE}:latest
USER root
RUN dnf install -y --setopt=install_weak_deps=False python3.11 python3.11-pip && dnf clean all
WORKDIR /src
COPY setup.py pyproject.toml README.md LICENSE NOTICE ./
COPY snowetl snowetl
RUN dnf install -y --setopt=install_weak_deps=False gcc python3.11-devel \
    && SNOWETL_COMPILE=1 python3.11 -m pip install --no-cache-dir '.[cluster]' \
    && dnf remove -y gcc python3.11-devel && dnf clean all && rm -rf /src/*
ENV PYSPARK_PYTHON=/usr/bin/python3.11 PYSPARK_DRIVER_PYTHON=/usr/bin/python3.11
WORKDIR /home/hadoop
USER hadoop:hadoop
