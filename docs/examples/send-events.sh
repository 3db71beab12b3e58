#!/bin/sh
# Sends one event, or an array of up to 100, from standard input to Orderwright.
# Prints the answer; ends with 22 when it is a 4xx, which the same request would get again.
#
#   ORDERWRIGHT_URL      default http://127.0.0.1:3100
#   ORDERWRIGHT_API_KEY  not needed on the machine of an API without keys; "ps" shows it to users of this machine
#
# curl repeats after time-outs, refused connections, 408, 429 and 5xx, heeds Retry-After, and gives up after
# 60 seconds. A repeat is harmless: an event is applied once.
exec curl --silent --show-error --fail-with-body \
  --retry 10 --retry-connrefused --retry-max-time 60 --max-time 15 \
  --header 'content-type: application/json' \
  ${ORDERWRIGHT_API_KEY:+--header "authorization: Bearer $ORDERWRIGHT_API_KEY"} \
  --data-binary @- \
  "${ORDERWRIGHT_URL:-http://127.0.0.1:3100}/v1/events"
