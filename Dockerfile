# One image for everything that `weft` runs: coordinators, workers, and the commands that people type.
#
#   docker build -t weft .
#   docker run --rm --network host weft doctor
#   docker run --rm --network host -v ./examples/primes:/tasks:ro weft worker tasks.ts
#
# Task files are loaded from wherever they are mounted; `@weft/worker` and `@weft/client` resolve from anywhere.
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS files
WORKDIR /opt/weft
COPY package.json pnpm-workspace.yaml pnpm-lock.yaml LICENSE ./
COPY packages packages
RUN npx -y pnpm@12 install --prod --frozen-lockfile --filter "@weft/cli..." \
  && mkdir -p /node_modules/@weft \
  && ln -s /opt/weft/packages/worker /opt/weft/packages/client /node_modules/@weft/

FROM ${NODE_IMAGE} AS weft
COPY --from=files /opt/weft /opt/weft
COPY --from=files /node_modules /node_modules
ENV NODE_ENV=production
# Relative paths of task files start here.
WORKDIR /tasks
# Nothing is written, and nothing needs a user that exists.
USER 10001:10001
ENTRYPOINT ["node", "/opt/weft/packages/cli/src/main.ts"]
CMD ["--help"]
