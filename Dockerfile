# Orderwright's own program; Redis runs beside it (docker-compose.yml) and is named by REDIS_URL.

FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:20-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:20-slim
WORKDIR /app
# An image must not change itself: without REDIS_URL the start fails and says so.
ENV NODE_ENV=production ORDERWRIGHT_REDIS_INSTALL=never
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/dist dist
USER node
ENTRYPOINT ["node", "--enable-source-maps", "dist/src/cli/main.js"]
CMD ["worker"]
