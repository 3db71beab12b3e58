#!/bin/sh
# What HubSpot sends when a workflow has written an item id into a deal's property: a list with that one change,
# signed with the app's client secret (HUBSPOT_CLIENT_SECRET). For trying a mapping without HubSpot.
set -eu
url=${HUBSPOT_TARGET_URL:-http://127.0.0.1:3100/webhooks/hubspot}
timestamp=$(date +%s)000
body='[{"objectId":512,"objectTypeId":"0-3","propertyName":"offergrid_accepted_item","propertyValue":"'$1'",
  "changeSource":"CRM_UI","eventId":3816279340,"subscriptionId":25,"portalId":33,"appId":1160452,
  "occurredAt":'$timestamp',"subscriptionType":"object.propertyChange","attemptNumber":0}]'
signature=$(printf 'POST%s%s%s' "$url" "$body" "$timestamp" |
  openssl dgst -sha256 -hmac "$HUBSPOT_CLIENT_SECRET" -binary | base64)
exec curl --silent --show-error --fail-with-body "$url" \
  --header 'content-type: application/json' \
  --header "x-hubspot-request-timestamp: $timestamp" \
  --header "x-hubspot-signature-v3: $signature" \
  --data-raw "$body"
