# neural_art on the processor, without root:
#     docker build -t neural_art .
#     docker run --rm -v "$PWD:/pictures" -u "$(id -u):$(id -g)" neural_art photo.jpg painting.jpg
FROM python:3.12-slim AS build
COPY . /source
RUN pip wheel --no-deps --wheel-dir /wheels /source

FROM python:3.12-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels pip install --no-cache-dir /wheels/*.whl \
    && useradd --create-home artist
USER artist
WORKDIR /pictures
ENTRYPOINT ["neural_art"]
