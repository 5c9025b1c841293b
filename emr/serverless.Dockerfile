# The image for EMR Serverless: the release's own, with Python 3.11 and snowetl.
#   docker build --platform linux/amd64 --file emr/serverless.Dockerfile --tag $IMAGE . && docker push $IMAGE
FROM public.ecr.aws/emr-serverless/spark/emr-7.13.0:latest
USER root
RUN dnf install -y --setopt=install_weak_deps=False python3.11 python3.11-pip && dnf clean all
WORKDIR /src
COPY . .
RUN python3.11 -m pip install --no-cache-dir '.[parquet]' && rm -rf /src/*
ENV PYSPARK_PYTHON=/usr/bin/python3.11 PYSPARK_DRIVER_PYTHON=/usr/bin/python3.11
USER hadoop:hadoop
