# One image; the role is chosen by the command: `serve` (API and worker in one), `worker`, or any other of `connector --help`.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/connector
COPY requirements.lock ./
RUN /opt/connector/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY connector connector
COPY adapters adapters
COPY mappings mappings
COPY schemas schemas
RUN pip install --no-cache-dir hatchling==1.27.0 \
 && pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/connector/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.12-slim
RUN useradd --create-home --home-dir /var/lib/connector --uid 10001 connector
COPY --from=build /opt/connector /opt/connector
ENV PATH=/opt/connector/bin:$PATH PYTHONUNBUFFERED=1 CONNECTOR_DATA=/var/lib/connector
USER connector
WORKDIR /var/lib/connector
VOLUME /var/lib/connector
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s \
  CMD ["connector", "health"]
ENTRYPOINT ["connector"]
CMD ["serve", "--host", "0.0.0.0"]
